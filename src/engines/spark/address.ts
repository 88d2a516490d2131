import {MillraceError} from '../../core/errors.ts';

/** Where a Spark Connect server is, as its URL tells: `sc://host:port/;use_ssl=true;token=…`. */
export interface SparkAddress {
  /** `host:port` */
  readonly target: string;
  readonly tls: boolean;
  readonly token: string | null;
  /** Whom the server is told of. */
  readonly user: string;
  /** Other parameters are sent with each request, as headers: what a gateway before Spark may want. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The usual port of Spark Connect. */
const usualPort = 15_002;

/** Parameters that mean something to other clients alone. */
const passedOver = new Set(['user_agent', 'session_id', 'grpc_max_message_size']);

/** Reads a URL. A token means TLS unless `use_ssl=false` says otherwise, or the server is on this machine. @throws CONFIG_INVALID, without the token */
export function parseSparkUrl(text: string): SparkAddress {
  const match = /^sc:\/\/(\[[0-9a-f:.]+\]|[^/:;?#\s]+)(?::(\d+))?(?:\/(?:;(.*))?)?$/i.exec(text.trim());
  if (!match) throw invalid('must have the form sc://host:port/;use_ssl=true;token=…');
  const [, host, port = String(usualPort), rest = ''] = match;
  if (Number(port) < 1 || Number(port) > 65_535) throw invalid(`${port} is no port`);
  const parameters = new Map<string, string>();
  for (const pair of rest.split(';').filter(part => part !== '')) {
    const [, key, value] = /^([A-Za-z0-9_.-]+)=(.*)$/.exec(pair) ?? [];
    if (key === undefined) throw invalid('parameters must have the form name=value, with ; between them');
    parameters.set(key.toLowerCase(), decoded(value!));
  }
  const take = (key: string): string | undefined => {
    const value = parameters.get(key);
    parameters.delete(key);
    return value;
  };
  const [token = null, ssl, user = 'millrace'] = [take('token'), take('use_ssl'), take('user_id')];
  if (ssl !== undefined && !/^(?:true|false)$/i.test(ssl)) throw invalid('use_ssl must be true or false');
  const local = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(host!);
  const tls = ssl === undefined ? token !== null && !local : ssl.toLowerCase() === 'true';
  for (const name of passedOver) parameters.delete(name);
  return {target: `${host}:${port}`, tls, token, user, headers: Object.fromEntries(parameters)};
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

const invalid = (reason: string): MillraceError => new MillraceError('CONFIG_INVALID', {issues: `spark.url: ${reason}.`});
