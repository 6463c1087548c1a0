#!/usr/bin/env node
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const commandLine = path.join(import.meta.dirname, '../dist/cli/main.js');

if (existsSync(commandLine)) {
  await import(pathToFileURL(commandLine).href);
} else {
  console.error('ipm is not built yet: run npm start or npm run build first.');
  process.exitCode = 1;
}
