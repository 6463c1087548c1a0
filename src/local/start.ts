// `npm start`, once everything is installed and built.
import { readLocalSettings } from './local-settings.js';
import { runLocalStack } from './run-local-stack.js';

// The terminal may be gone before we are.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

process.exit(await runLocalStack(() => readLocalSettings(process.env, process.argv.slice(2))));
