/**
 * Who may import whom, as docs/architecture.md says it. test/rules/imports.test.ts runs these rules and has the one about vendors.
 * Imports of types count like all others, except for cycles: those do no harm before the program runs.
 */
const stages = 'catalog|schemas|sources|engines|warehouse|writes|pipelines|proposals|schedules|webhooks|streams|training|models|inference|maintenance';

/** What a stage shows to the others: its port, and pure functions over the port's types. */
const ports = [
  '^src/schemas/',
  '^src/(sources/source|engines/(engine|remote-engine|metastore|sql-text|installation)|warehouse/(warehouse|relationship|manifest|content)|writes/writes|pipelines/(pipeline|backfill|engine-choice)|proposals/proposals|schedules/schedule|webhooks/webhook|streams/stream|training/trainer)\\.ts$',
  '^src/(models/models|inference/(runtime|values)|catalog/catalog|maintenance/maintenance)\\.ts$',
];

/** Folders of adapters, each one kind of the thing its stage's port describes. */
const adapters = '^src/(sources|engines|streams|training|inference)/[^/]+/|^src/pipelines/steps/';

const error = 'error';

export default {
  forbidden: [
    {
      name: 'core-imports-nothing',
      comment: 'core is what everything stands on.',
      severity: error,
      from: {path: '^src/core/'},
      to: {path: '^src/', pathNot: '^src/core/'},
    },
    {
      name: 'stages-meet-at-ports',
      comment: 'A stage knows core and the port files of other stages.',
      severity: error,
      from: {path: `^src/(${stages})/`},
      to: {path: '^src/', pathNot: ['^src/core/', '^src/$1/', ...ports]},
    },
    {
      name: 'adapters-stand-alone',
      comment: 'An adapter knows no other adapter of its stage; what they share lies beside their port.',
      severity: error,
      from: {path: '^src/(sources|engines|streams|training|inference)/([^/]+)/'},
      to: {path: '^src/$1/[^/]+/', pathNot: '^src/$1/$2/'},
    },
    {
      name: 'kinds-list-adapters',
      comment: 'In a stage, only the list of kinds names adapters; all else reaches them through the port.',
      severity: error,
      from: {path: '^src/(sources|engines|streams|training|inference)/[^/]+\\.ts$', pathNot: '/kinds\\.ts$'},
      to: {path: '^src/$1/[^/]+/'},
    },
    {
      name: 'apis-use-services',
      comment: 'An API uses services and ports, never an adapter, the implementation of the catalog or another API.',
      severity: error,
      from: {path: '^src/api/([^/]+)/'},
      to: {path: [adapters, '^src/catalog/', '^src/api/[^/]+/', '^src/cli/'], pathNot: ['^src/api/$1/', ...ports]},
    },
    {
      name: 'cli-is-a-client',
      comment: 'The commands send documents to the graph: they need no adapter and no catalog.',
      severity: error,
      from: {path: '^src/cli/'},
      to: {path: [adapters, '^src/catalog/', '^src/api/'], pathNot: ports},
    },
    {
      name: 'stages-know-no-api',
      severity: error,
      from: {path: `^src/(core|${stages})/`},
      to: {path: '^src/(api|cli)/'},
    },
    {
      name: 'main-alone-composes',
      severity: error,
      from: {path: '^src/', pathNot: '^src/main\\.ts$'},
      to: {path: '^src/(compose|main)\\.ts$'},
    },
    {
      name: 'no-cycles',
      comment: 'Files that need each other at run time are one file, or lack a third one.',
      severity: error,
      from: {},
      to: {circular: true, viaOnly: {dependencyTypesNot: ['type-only']}},
    },
    {
      name: 'no-unresolvable',
      severity: error,
      from: {},
      to: {couldNotResolve: true},
    },
    {
      name: 'no-undeclared-packages',
      comment: 'What runs is listed in dependencies, not only in devDependencies.',
      severity: error,
      from: {path: '^src/', pathNot: '^src/api/console/app/'},
      to: {dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown']},
    },
  ],
  options: {
    doNotFollow: {path: 'node_modules'},
    exclude: {path: ['^src/catalog/prisma/', '^src/api/console/app/']},
    tsPreCompilationDeps: true,
    tsConfig: {fileName: 'tsconfig.json'},
    parser: 'swc',
    enhancedResolveOptions: {extensions: ['.ts', '.js', '.mjs', '.json'], conditionNames: ['import', 'node', 'default', 'types'], exportsFields: ['exports'], mainFields: ['module', 'main', 'types']},
  },
};
