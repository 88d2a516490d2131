import {spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {root, sourceFiles, textOf} from './sources.ts';

interface Cruise {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly {readonly resolved: string; readonly dependencyTypes: readonly string[]}[];
  }[];
  readonly summary: {
    readonly violations: readonly {readonly rule: {readonly name: string}; readonly from: string; readonly to: string}[];
  };
}

/** What dependency-cruiser sees of the `src` of a folder by our rules. */
function cruise(folder: string): Cruise {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const {stdout, stderr} = spawnSync(process.execPath, [program, 'src', '--config', '.dependency-cruiser.mjs', '--output-type', 'json'], {
    cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Cruise;
}

/**
 * Where each package may be imported: the beginning of the path. A package that is not here may not be imported at all, so that
 * a new one is a decision.
 */
const vendors: Readonly<Record<string, readonly string[]>> = {
  '@prisma/adapter-pg': ['src/catalog/'],
  '@prisma/client': ['src/catalog/'],
  pg: ['src/catalog/'],
  'pg-boss': ['src/catalog/'],
  '@electric-sql/pglite': ['src/catalog/'],
  '@electric-sql/pglite-socket': ['src/catalog/'],
  '@duckdb/node-api': ['src/engines/duckdb/'],
  '@duckdb/node-bindings': ['src/engines/duckdb/'],
  '@grpc/grpc-js': ['src/engines/spark/'],
  '@grpc/proto-loader': ['src/engines/spark/'],
  '@polyglot-sql/sdk': ['src/engines/'],
  croner: ['src/schedules/'],
  'hive-driver': ['src/engines/hive/'],
  'onnxruntime-node': ['src/inference/onnx/'],
  'type-graphql': ['src/api/graphql/'],
  graphql: ['src/api/graphql/'],
  'graphql-ws': ['src/api/graphql/', 'src/cli/'],
  '@apollo/server': ['src/api/graphql/'],
  '@as-integrations/fastify': ['src/api/graphql/'],
  'class-validator': ['src/api/graphql/'],
  ws: ['src/api/'],
  fastify: ['src/api/'],
  '@fastify/static': ['src/api/console/'],
  pino: ['src/core/'],
  'prom-client': ['src/core/'],
  awilix: ['src/compose.ts'],
  commander: ['src/cli/', 'src/main.ts'],
  'reflect-metadata': ['src/main.ts'],
  // What outside data is checked by, wherever it enters.
  zod: ['src/'],
  yaml: ['src/schemas/'],
  // The language of columns between the stages (decision 4).
  'apache-arrow': ['src/'],
};

const packageOf = (resolved: string) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(resolved)?.[1];

const project = cruise(root);

test('every source file was looked at', () => {
  const seen = new Set(project.modules.map((module) => module.source));
  expect(sourceFiles.filter((path) => !seen.has(path))).toEqual([]);
});

test('who may import whom', () => {
  expect(project.summary.violations.map(({rule, from, to}) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
});

test('each package is imported where it belongs', () => {
  const misplaced: string[] = [];
  for (const {source, dependencies} of project.modules.filter((module) => module.source.startsWith('src/'))) {
    for (const {resolved} of dependencies) {
      const name = packageOf(resolved);
      if (name !== undefined && !vendors[name]?.some((place) => source.startsWith(place))) misplaced.push(`${source} → ${name}`);
    }
  }
  expect(misplaced).toEqual([]);
});

test('the table of packages has only packages of package.json', () => {
  const {dependencies} = JSON.parse(textOf('package.json')) as {dependencies: Record<string, string>};
  expect(Object.keys(vendors).filter((name) => !(name in dependencies))).toEqual([]);
});

/** For each rule, a file that breaks it and, after `→`, what that file imports. */
const offences: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'core-imports-nothing': ['src/core/a.ts', 'src/schemas/schema.ts'],
  'stages-meet-at-ports': ['src/pipelines/b.ts', 'src/warehouse/commit.ts'],
  'adapters-stand-alone': ['src/engines/duckdb/c.ts', 'src/engines/spark/d.ts'],
  'kinds-list-adapters': ['src/sources/e.ts', 'src/sources/file/f.ts'],
  'apis-use-services': ['src/api/rest/g.ts', 'src/api/graphql/h.ts'],
  'cli-is-a-client': ['src/cli/i.ts', 'src/engines/duckdb/j.ts'],
  'stages-know-no-api': ['src/models/k.ts', 'src/api/graphql/l.ts'],
  'main-alone-composes': ['src/warehouse/m.ts', 'src/compose.ts'],
  'no-unresolvable': ['src/core/n.ts', 'src/core/nowhere.ts'],
  'no-undeclared-packages': ['src/core/o.ts', 'jest'],
};

test('each rule finds its offence, and a cycle of types alone is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rules-'));
  try {
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(folder, path)), {recursive: true});
      writeFileSync(join(folder, path), text);
    };
    for (const file of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json']) cpSync(join(root, file), join(folder, file));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [rule, [from, to]] of Object.entries(offences)) {
      if (rule !== 'no-unresolvable' && to.startsWith('src/')) write(to, 'export const x: number = 1;\n');
      write(from, `import {x} from '${to.startsWith('src/') ? join(folder, to) : to}';\nexport const y: number = x;\n`);
    }
    write('src/core/cycle-a.ts', "import {b} from './cycle-b.ts';\nexport const a: number = b;\n");
    write('src/core/cycle-b.ts', "import {a} from './cycle-a.ts';\nexport const b: number = a;\n");
    write('src/core/types-a.ts', "import type {B} from './types-b.ts';\nexport type A = B | 1;\n");
    write('src/core/types-b.ts', "import type {A} from './types-a.ts';\nexport type B = A | 2;\n");
    const found = cruise(folder).summary.violations.map(({rule, from}) => `${rule.name}: ${from}`);
    expect(found).toEqual(expect.arrayContaining(Object.entries(offences).map(([rule, [from]]) => `${rule}: ${from}`)));
    expect(found.filter((line) => line.startsWith('no-cycles'))).toEqual(['no-cycles: src/core/cycle-a.ts']);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
});
