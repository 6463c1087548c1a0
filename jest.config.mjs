/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts'],
  testTimeout: 20_000,
  // What files leave behind makes those after them slower: racing-writers takes 11 s in a new process, and 38 in one of 2.8 GB.
  workerIdleMemoryLimit: '1GB',
  // The packages named here ship only ES modules; Node 20's jest runs CommonJS, so they are compiled like our own source.
  moduleNameMapper: { '^(@prisma/client/runtime/.+)\\.mjs$': '$1.js', '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.[mc]?[jt]s$': ['@swc/jest', { module: { type: 'commonjs' } }] },
  transformIgnorePatterns: [
    '/node_modules/(?!(@nestjs|cookie|content-disposition|file-type|load-esm|jose|uint8array-extras|strtok3|token-types|re2js)/)',
  ],
};
