#!/usr/bin/env node
// Speaks the JSON-RPC of Prisma's native schema engine on stdin and stdout, and answers with the same engine as WebAssembly,
// so that `prisma generate` and `prisma migrate diff` need no binary from a download host.
import fs from 'node:fs/promises';
import readline from 'node:readline';
import { databaseCommand, openEngine } from './schema-engine-wasm.mjs';

const argv = process.argv.slice(2);
const optionValues = (name) => argv.flatMap((word, i) => (word === name ? [argv[i + 1]] : []));
const datasource = JSON.parse(optionValues('--datasource')[0] ?? '{}');

if (argv.includes('--version')) {
  console.log('schema-engine-cli wasm');
  process.exit(0);
}
if (argv.includes('cli')) process.exit(await databaseCommand(argv[argv.indexOf('cli') + 1], datasource.url));

const datamodels = await Promise.all(
  optionValues('--datamodels').map(async (file) => [file, await fs.readFile(file, 'utf8')]),
);
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const methodNames = { getDatabaseVersion: 'version' };

async function answer({ id, method, params }) {
  const engine = await openEngine(datasource.url, datamodels.length > 0 ? datamodels : undefined);
  const result = await engine[methodNames[method] ?? method](params ?? {});
  // The native engine prints a diff through a request of its own; the WebAssembly one returns it.
  if (method === 'diff' && result.stdout) send({ id: 'print', method: 'print', params: { content: result.stdout } });
  send({ id, result: method === 'diff' ? { exitCode: result.exitCode, stdout: null } : (result ?? null) });
}

let queue = Promise.resolve();
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const message = line.trim() ? JSON.parse(line) : {};
  if (!message.method) return;
  queue = queue
    .then(() => answer(message))
    .catch((error) => {
      const data = { is_panic: false, message: error.message, error_code: error.code, meta: error.meta ?? null };
      send({ id: message.id, error: { code: 4466, message: error.message, data } });
    });
});
lines.on('close', () => void queue.then(() => process.exit(0)));
