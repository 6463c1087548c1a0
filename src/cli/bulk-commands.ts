import { InvalidArgumentError, type Command } from 'commander';
import { parseUtcTime } from '../platform/http/utc-time.js';
import { exportFile } from './bulk-export.js';
import { importFile } from './bulk-import.js';
import { examples, orgOption, reasonOption, whenRun } from './options.js';

export function addImportCommand(command: Command): void {
  command
    .argument('<file>', 'NDJSON, one event a line; packed with gzip where its name ends with .gz')
    .addOption(orgOption('whose events they are'))
    .addOption(reasonOption())
    .addHelpText(
      'after',
      `${examples('$ ipm import history.ndjson --org acme', '$ ipm import history.ndjson.gz --org acme --json')}

It uploads the file, commits the job, and follows it to its end. Ctrl-C leaves the job to the workers. Lines that are refused are
named with their number; the others are in the log all the same, and lines that are in the log already count as processed.
Exit code 1 if a line was refused or the job failed.`,
    );
  whenRun(command, importFile);
}

export function addExportCommand(command: Command): void {
  command
    .addOption(orgOption('whose events'))
    .requiredOption('-o, --output <file>', 'where they are written, one event a line; - for standard output')
    .option('--service <name>', 'only events of this service')
    .option('--from <time>', 'that occurred then or later', parseTime)
    .option('--to <time>', 'that occurred before then', parseTime)
    .option('--max-records <n>', 'no more than so many; all that there are unless given', parseCount)
    .option('--gzip', 'packed')
    .addOption(reasonOption())
    .addHelpText(
      'after',
      `${examples(
        '$ ipm export --org acme --output acme.ndjson',
        '$ ipm export --org acme --service shop --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --gzip -o january.ndjson.gz',
      )}

What is in the log when it is ordered, in the order of the feed. One job writes up to ten million events; where there are more, it
continues by itself into the same file. What was exported can be imported again.`,
    );
  whenRun(command, exportFile);
}

function parseTime(text: string): string {
  if (parseUtcTime(text) !== undefined) return text;
  throw new InvalidArgumentError('A time is written as 2026-01-31T00:00:00Z, with Z or an offset such as +01:00.');
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= Number.MAX_SAFE_INTEGER) return count;
  throw new InvalidArgumentError('It is a whole number from 1 on.');
}
