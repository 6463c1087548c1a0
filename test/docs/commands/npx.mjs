#!/usr/bin/env node
// `npx ipm …` without asking npm, which would take seconds: the package's own command.
process.argv.splice(2, 1);
await import('../../../bin/ipm.mjs');
