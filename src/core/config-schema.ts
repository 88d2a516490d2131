/** The settings: the type, default and meaning of each key. Nothing else in Millrace reads the environment. */
import {availableParallelism, totalmem} from 'node:os';
import {join} from 'node:path';
import {z} from 'zod';

/** One key. `initial` gives the default from the project's and the data folder. */
export interface Setting<T = unknown> {
  readonly type: z.ZodType<T>;
  readonly initial: (folders: {project: string; data: string}) => T;
  readonly about: string;
  /** How the default reads in the documentation, where it depends on the machine or the folders. */
  readonly initially?: string;
  readonly nullable?: boolean;
  /** Relative paths mean the project folder. */
  readonly folder?: boolean;
  /** Present on secrets: what may be shown of one. */
  readonly mask?: (value: string) => string;
}

const units: Readonly<Record<string, number>> = {'': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40};

const number = (text: unknown) => (typeof text === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : text);

const size = (text: unknown) => {
  const match = typeof text === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) : null;
  const unit = match && units[match[2]!.toLowerCase()];
  return unit ? Math.round(Number(match[1]) * unit) : text;
};

const list = (text: unknown) => (typeof text === 'string' ? text.split(',').map((item) => item.trim()).filter((item) => item !== '') : text);

const whole = (initial: number, about: string, [min, max]: readonly [number, number] = [1, 1e9], initially?: string): Setting<number> => {
  const message = `must be a whole number from ${min} to ${max}`;
  return {type: z.preprocess(number, z.int(message).min(min, message).max(max, message)) as z.ZodType<number>, initial: () => initial, about, initially};
};

const bytes = (initial: number, about: string): Setting<number> => {
  const message = 'must be a number of bytes, or one with a unit such as 64MiB';
  return {type: z.preprocess(size, z.int(message).min(1, message)) as z.ZodType<number>, initial: () => initial, about};
};

const text = (initial: string, about: string): Setting<string> => ({type: z.string('must be text').min(1, 'must not be empty'), initial: () => initial, about});

const choice = <const T extends string>(initial: T, choices: readonly T[], about: string): Setting<T> => ({
  type: z.enum(choices as unknown as [T, ...T[]], `must be one of ${choices.join(', ')}`) as unknown as z.ZodType<T>, initial: () => initial, about,
});

const folder = (under: 'project' | 'data', name: string, about: string): Setting<string> => ({
  type: z.string('must be a path').min(1, 'must not be empty'),
  initial: (folders) => join(folders[under], name),
  initially: under === 'project' ? name || 'the working folder' : `<data.folder>/${name}`,
  about,
  folder: true,
});

const texts = (initial: readonly string[], about: string): Setting<readonly string[]> => ({
  type: z.preprocess(list, z.array(z.string().min(1), 'must be a list, or text with commas')) as z.ZodType<readonly string[]>, initial: () => initial, about,
});

/** DuckDB's own default, 80 % of the machine, would keep what it read until other programs have nothing left, and does not see a container's limit. */
const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

const origin = z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value, 'must be origins such as https://data.example.org');

const schema = {
  project: {
    folder: folder('project', '', 'The folder in which the user works.'),
  },
  data: {
    folder: folder('project', '.millrace', 'What Millrace keeps for the project.'),
  },
  catalog: {
    url: {
      type: z.string('must be a URL').refine((value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value), 'must be a URL beginning with postgres://') as z.ZodType<string | null>,
      initial: () => null,
      about: 'The PostgreSQL server of the catalog; empty: PGlite embedded in the data folder.',
      nullable: true,
      mask: maskUrl,
    } satisfies Setting<string | null>,
    poolSize: whole(10, 'Connections to the catalog at once.', [1, 1000]),
  },
  warehouse: {
    folder: folder('data', 'warehouse', "Where snapshots' files lie."),
    graceHours: whole(24, 'Hours that files stay after the last snapshot naming them has expired, for who reads them still.', [0, 1e6]),
    gcHours: whole(24, 'Hours between collections of what the retention of datasets has let go of; 0: only by `millrace gc`.', [0, 1e6]),
    compactFiles: whole(32, 'Small files of a dataset past which they are compacted; 0: never.', [0, 1e6]),
  },
  writes: {
    maxRows: whole(100_000, 'Rows that one mutation may insert, update or delete.'),
    idempotencyHours: whole(24, 'Hours for which a mutation that is sent again with its key is answered as the first time.', [1, 1e6]),
  },
  sources: {
    roots: {
      ...texts([], 'Folders from which sources may be read.'), initial: ({project}) => [project], initially: 'the project folder', folder: true,
    } satisfies Setting<readonly string[]>,
    maxExpansion: whole(200, 'How many times its size a compressed file may expand to, past 64 MiB.'),
  },
  jobs: {folder: folder('project', 'jobs', 'Where pipelines are defined.')},
  published: {folder: folder('project', 'published', 'Where publish steps write.')},
  pipelines: {
    workers: whole(2, 'Steps that run at once in this process; 0: none.', [0, 256]),
    leaseSeconds: whole(15, 'Seconds after which the step of a silent worker is taken over.', [1, 3600]),
    stepTimeoutSeconds: whole(3600, 'Seconds a step may take unless it says otherwise.'),
    engine: choice('duckdb', ['duckdb', 'spark', 'hive', 'auto'], 'What runs the SQL of steps, where neither run, step nor pipeline say it; auto: by the bytes to read.'),
    autoBytes: bytes(64 * 2 ** 30, 'Bytes of snapshots up to which a step with the engine `auto` stays on the embedded engine.'),
    jobsFileSeconds: whole(20, 'Seconds in which a jobs file must have loaded.', [1, 3600]),
  },
  engine: {
    threads: whole(availableParallelism(), 'Threads of the embedded engine.', [1, 1024], 'the number of processors'),
    memoryLimit: {
      ...bytes(Math.floor(Math.min(memory / 2, availableParallelism() * 300e6)), 'Memory of the embedded engine, in bytes or with a unit; what needs more goes through files.'),
      initially: '300 MB for each processor, at most half of the memory',
    },
    maxQueries: whole(4, 'Queries of the embedded engine at once; further ones wait.', [1, 256]),
    maxStreams: whole(4, 'Answers that are streamed at once, beside those queries; further ones wait.', [1, 256]),
    tempFolder: folder('data', 'tmp', 'Where the engine spills what does not fit into memory.'),
  },
  spark: {
    url: {
      type: z.string('must be text').regex(/^sc:\/\/[^/\s]+(?:\/(?:;[^\s]*)?)?$/i, 'must be a URL such as sc://host:15002/;token=…') as z.ZodType<string | null>,
      initial: () => null,
      about: 'The Spark Connect server that the engine `spark` is; its token, `use_ssl` and headers stand in the URL. Empty: none.',
      nullable: true,
      // Parameters may be headers with secrets.
      mask: (value) => value.replace(/;((?!use_ssl|user_id)[^;=]+)=[^;]*/gi, ';$1=********'),
    } satisfies Setting<string | null>,
    sessions: whole(4, 'Statements at once on Spark; further ones wait.', [1, 256]),
    keepAliveSeconds: whole(600, 'Seconds between signs of life of unused sessions; servers forget those silent for an hour.', [1, 86_400]),
    reconnectSeconds: whole(60, 'Seconds for which a server that is away is waited for while a statement runs.', [0, 86_400]),
    certificates: {
      type: z.string('must be a path').min(1, 'must not be empty') as z.ZodType<string | null>,
      initial: () => null,
      about: 'A PEM file of the authorities that vouch for the server; empty: those that Node knows.',
      nullable: true,
      folder: true,
    } satisfies Setting<string | null>,
  },
  hive: {
    url: {
      type: z.string('must be a URL').refine(value => /^hive2:\/\/./.test(value), 'must be a URL beginning with hive2://') as z.ZodType<string | null>,
      initial: () => null,
      about: 'HiveServer2, or a Spark Thrift Server: `hive2://user:password@host:port/database`, followed by `;transport=http`, `;path=cliservice`, `;ssl=true` or `;ca=/file.pem` where that is so.',
      nullable: true,
      mask: value => value.replace(/^(hive2:\/\/[^:@/]*):[^@/]*@/, '$1:********@'),
    } satisfies Setting<string | null>,
    sessions: whole(4, 'Statements that run there at once; further ones wait.', [1, 256]),
  },
  inference: {
    threads: whole(2, 'Threads that score.', [1, 256]),
  },
  models: {
    folder: folder('data', 'models', "Where models' artifacts lie."),
    maxBytes: bytes(512 * 2 ** 20, 'The largest artifact.'),
    trialSeconds: whole(30, "Seconds in which a new model's trial run must have finished.", [1, 3600]),
    keptScores: bytes(4 * 2 ** 30, 'Outputs of models for whole files that are kept, so that they are not computed again; those unused longest go first.'),
  },
  api: {
    host: text('127.0.0.1', 'The address to listen on. Another than a loopback address needs api.adminSecret.'),
    port: whole(4000, 'The port to listen on; 0: any free one.', [0, 65535]),
    adminSecret: {
      type: z.string('must be text').min(12, 'must have 12 characters at least') as z.ZodType<string | null>,
      initial: () => null,
      about: 'When set, every request must carry it: `authorization: Bearer <secret>`.',
      nullable: true,
      mask: () => '********',
    } satisfies Setting<string | null>,
    origins: {
      ...texts([], "Origins of web pages, besides the server's own, that may ask; their host names are accepted as this server's too."),
      type: z.preprocess(list, z.array(origin, 'must be a list, or text with commas')) as z.ZodType<readonly string[]>,
    },
    maxBodyBytes: bytes(2 ** 20, 'The largest body of a request other than an upload.'),
    queryTimeoutSeconds: whole(30, 'Seconds a query of the graph may take.', [1, 86_400]),
    shutdownSeconds: whole(15, 'Seconds that work in flight is given when the server stops.', [0, 3600]),
  },
  limits: {
    depth: whole(16, 'Levels of a GraphQL document.'),
    fields: whole(1000, 'Fields of a GraphQL document, aliases included.'),
    rows: whole(100_000, 'Rows of one root field.'),
    bytes: bytes(64 * 2 ** 20, 'Bytes of one answer.'),
    cost: whole(1_000_000_000, 'Rows the engine may have to read for one statement.', [1, Number.MAX_SAFE_INTEGER]),
    scanBytes: bytes(256 * 2 ** 30, 'Bytes of columns the engine may have to read for one statement.'),
    queries: whole(256, 'Operations of one viewer at a time.', [1, 100_000]),
    streamRows: whole(100_000_000, 'Rows of an answer as NDJSON or Arrow.', [1, Number.MAX_SAFE_INTEGER]),
    streamSeconds: whole(3600, 'Seconds that such an answer may take; its reader sets the pace.', [1, 86_400]),
  },
  uploads: {
    maxBytes: bytes(10 * 2 ** 30, 'The largest upload.'),
    folder: folder('data', 'uploads', 'Where uploads lie.'),
    retentionDays: whole(0, 'Days that uploads are kept; 0: for ever.', [0, 36_500]),
  },
  webhooks: {
    privateHosts: texts([], 'Host names and addresses of private networks, or of this machine, that webhooks may be sent to; all others must be public.'),
    timeoutSeconds: whole(10, 'Seconds in which the receiver of a webhook must have answered.', [1, 300]),
  },
  events: {
    retentionDays: whole(30, "Days that a finished run's events, and webhooks' deliveries that are over, are kept.", [1, 36_500]),
  },
  log: {
    level: choice('info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'The least important messages to log.'),
    format: choice('auto', ['auto', 'pretty', 'json'], 'auto: pretty on a terminal, else json.'),
  },
};

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** The whole configuration; see {@link settings} for what each key means. */
export type Config = {readonly [S in keyof typeof schema]: {readonly [K in keyof (typeof schema)[S]]: ValueOf<(typeof schema)[S][K]>}};

/** Every setting by its key, `section.key`. */
export const settings: ReadonlyMap<string, Setting> = new Map(
  Object.entries(schema).flatMap(([section, keys]) => Object.entries(keys).map(([key, setting]) => [`${section}.${key}`, setting as Setting])),
);

/** `api.maxBodyBytes` is MILLRACE_API_MAX_BODY_BYTES. */
export function environmentVariable(key: string): string {
  return `MILLRACE_${key.replaceAll('.', '_').replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The list of settings as `config/environment-variables.md` holds it. */
export function settingsDocument(): string {
  const row = ([key, setting]: [string, Setting]) => {
    const initial = setting.initially ?? JSON.stringify(setting.initial({project: '.', data: '.millrace'}));
    return `| \`${environmentVariable(key)}\` | \`${key}\` | ${initial.replaceAll('"', '')} | ${setting.about}${setting.mask ? ' Secret.' : ''} |`;
  };
  return `# Settings

Later ones win: defaults, \`config/<MILLRACE_ENV>.json\`, \`config/local.json\` (ignored by git), environment variables, the command line
(\`--set section.key=value\`). \`MILLRACE_ENV\` is \`development\` unless set. \`millrace config\` shows each value and where it came from.

Lists are written with commas, sizes with or without a unit (\`64MiB\`), relative folders from the project folder.
In Kubernetes set \`enableServiceLinks: false\`: a service named \`millrace-api\` would set \`MILLRACE_API_PORT\` to a URL.

| variable | key | default | meaning |
|---|---|---|---|
${[...settings].map(row).join('\n')}
`;
}

function maskUrl(value: string): string {
  const url = new URL(value);
  if (url.password) url.password = '********';
  return url.href;
}
