// Which folder may import which: the rules of docs/architecture.md, checked by `npm run boundaries`. test/boundaries/boundaries.spec.ts
// breaks each rule once and sees it named.

/** Every folder of src that is neither the platform nor a way to start a process is a room. */
const ROOM = '^src/(?!(?:platform|roles|cli|local|generated)/)([^/]+)/';
const DOORS = ['\\.(service|queue|dto|events|module|errors)\\.ts$', '-lifecycle\\.ts$'];
const DATABASE_CLIENTS = '(^src/generated/prisma/|(^|/)node_modules/(@prisma/|prisma/|pg/|pg-))';
/** Each speaks to a server before, or without, the application: its address, its roles, its migrations, its readiness. */
const SPEAK_TO_POSTGRES_THEMSELVES = [
  '^src/cli/(doctor-postgres|migrate-command|postgres-address|serving-login)\\.ts$',
  '^src/local/postgres-server\\.ts$',
];
/** `ipm` finds the stack that `npm start` runs on this machine, and the folder of the project. */
const FIND_THE_LOCAL_STACK = '^src/cli/(stack-connection|migrate-command)\\.ts$';

const forbidden = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbidden(
      'platform-knows-no-room',
      'src/platform is what rooms stand on; what it needs of a room it declares as an abstract class.',
      { path: '^src/platform/' },
      { path: '^src/', pathNot: '^src/(platform|generated)/' },
    ),
    forbidden(
      'rooms-through-their-doors',
      'A room is entered by its service, queue, dto, events, module, errors or a lifecycle; never by its repository, controller or rules.',
      { path: ROOM },
      { path: ROOM, pathNot: ['^src/$1/', ...DOORS] },
    ),
    forbidden(
      'only-repositories-know-the-database',
      'SQL and Prisma stay in *.repository.ts and src/platform/database.',
      {
        path: '^src/',
        pathNot: ['\\.repository\\.ts$', '^src/platform/database/', '^src/generated/', ...SPEAK_TO_POSTGRES_THEMSELVES],
      },
      { path: DATABASE_CLIENTS },
    ),
    forbidden(
      'no-cycles',
      'Two files that need each other are one file, or miss a third.',
      { pathNot: '^src/generated/' },
      { circular: true },
    ),
    forbidden(
      'roles-are-for-main',
      'src/roles puts rooms together to a process; only the entry starts one.',
      { path: '^src/', pathNot: '^src/(roles/|main\\.ts$)' },
      { path: '^src/roles/' },
    ),
    forbidden(
      'nobody-imports-the-command-line',
      'src/cli is a way to start a process.',
      { path: '^src/', pathNot: '^src/cli/' },
      { path: '^src/cli/' },
    ),
    forbidden(
      'nobody-imports-the-local-stack',
      'src/local is for machines of developers and must not be reached from what is deployed.',
      { path: '^src/', pathNot: ['^src/local/', FIND_THE_LOCAL_STACK] },
      { path: '^src/local/' },
    ),
    forbidden('nobody-imports-main', 'An entry does things when it is loaded.', {}, { path: '^src/main\\.ts$' }),
    forbidden(
      'source-stands-alone',
      'What is deployed has neither tests nor scripts nor development packages; only the local stack uses one.',
      { path: '^src/', pathNot: '^src/local/' },
      { path: '^(test|bench|scripts|dist)/' },
    ),
    forbidden(
      'no-development-packages',
      'They are not installed where the product runs.',
      { path: '^src/', pathNot: '^src/local/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    ),
    forbidden('everything-resolves', 'An import leads nowhere.', {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.spec\\.ts$' },
    tsPreCompilationDeps: true, // an `import type` crosses a boundary as much as any other
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
