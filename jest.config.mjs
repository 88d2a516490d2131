/**
 * Jest runs the TypeScript sources as ES modules; `npm test` adds --experimental-vm-modules.
 * Two projects: `fast` must stay a matter of seconds; whatever starts servers and kills them is *.slow.test.ts.
 */
const common = {
  rootDir: '.',
  roots: ['<rootDir>/test'],
  testEnvironment: '<rootDir>/test/support/environment.mjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/setup.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', {
      jsc: {parser: {syntax: 'typescript', decorators: true}, transform: {legacyDecorator: true, useDefineForClassFields: false}, target: 'es2024'},
      module: {type: 'es6'},
    }],
  },
};

export default {
  projects: [
    {...common, displayName: 'fast', testMatch: ['**/*.test.ts'], testPathIgnorePatterns: ['/node_modules/', '\\.slow\\.test\\.ts$']},
    {...common, displayName: 'slow', testMatch: ['**/*.slow.test.ts']},
  ],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  // A hang ends here; nothing is timed by it.
  testTimeout: 150_000,
  maxWorkers: 2,
};
