/** Jest runs the TypeScript sources as ES modules; `npm test` adds --experimental-vm-modules. */
export default {
  rootDir: '.',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testEnvironment: '<rootDir>/test/support/environment.mjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/setup.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', {
      jsc: {parser: {syntax: 'typescript', decorators: true}, transform: {legacyDecorator: true, useDefineForClassFields: false}, target: 'es2024'},
      module: {type: 'es6'},
    }],
  },
  testTimeout: 60_000,
  maxWorkers: 2,
};
