import {MillraceError} from '../../core/errors.ts';

/** Where a HiveServer2, or a Spark Thrift Server, is and how it is spoken to. */
export interface HiveAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Null: the server believes the name. */
  readonly password: string | null;
  readonly database: string;
  readonly transport: 'binary' | 'http';
  /** Of HTTP. */
  readonly path: string;
  readonly tls: boolean;
  /** A PEM file with the certificate that the server's must lead to; default: those the system trusts. */
  readonly ca: string | null;
}

const options = {transport: ['binary', 'http'], ssl: ['true', 'false'], path: null, ca: null} as const;

/**
 * Reads `hive2://user:password@host:port/database;transport=http;path=cliservice;ssl=true;ca=/file.pem`; all but the host may be left out.
 * Names and passwords are percent-encoded.
 * @throws CONFIG_INVALID, ENGINE_UNSUPPORTED for Kerberos
 */
export function parseHiveUrl(text: string): HiveAddress {
  const [place = '', ...rest] = text.split(';').filter(part => part !== '');
  const invalid = (reason: string) => new MillraceError('CONFIG_INVALID', {issues: `hive.url ${reason}`});
  const url = URL.canParse(place) ? new URL(place) : null;
  if (url?.protocol !== 'hive2:' || url.hostname === '') throw invalid('must be a URL such as hive2://user:password@host:10000/default');
  const given = new Map(rest.map(part => part.split(/=(.*)/s, 2) as [string, string | undefined]));
  if (given.has('principal') || given.get('auth')?.toLowerCase() === 'kerberos') {
    throw new MillraceError('ENGINE_UNSUPPORTED', {engine: 'Hive', reason: 'its address asks for Kerberos, which Millrace does not speak; it speaks to servers that ask for nothing, or for user and password (LDAP, PAM, custom)'});
  }
  for (const [name, value = ''] of given) {
    if (!(name in options)) throw invalid(`has the unknown option '${name}'; there are ${Object.keys(options).join(', ')}`);
    const allowed: readonly string[] | null = options[name as keyof typeof options];
    if (value === '' || (allowed && !allowed.includes(value))) throw invalid(`has no value of '${name}'${allowed ? `: ${allowed.join(', ')}` : ''}`);
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 10_000 : Number(url.port),
    user: decodeURIComponent(url.username) || 'millrace',
    password: url.password === '' ? null : decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || 'default',
    transport: given.get('transport') === 'http' ? 'http' : 'binary',
    path: `/${(given.get('path') ?? 'cliservice').replace(/^\//, '')}`,
    tls: given.get('ssl') === 'true',
    ca: given.get('ca') ?? null,
  };
}

/** The address as people may see it. */
export const shownAddress = ({host, port, database}: HiveAddress): string => `hive2://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
