import { Option, type Command } from 'commander';
import { publishFile } from './event-publish.js';
import { STARTS, tailEvents } from './event-tail.js';
import { examples, orgOption, whenRun } from './options.js';

export function addEventCommands(events: Command): void {
  const publish = events
    .command('publish')
    .description('publish the events of an NDJSON file, one event a line, in the order of its lines')
    .argument('<file>', 'the file, or - for standard input')
    .addOption(orgOption('whose events they are'))
    .addHelpText(
      'after',
      `${examples(
        '$ ipm event publish orders.ndjson --org acme',
        '$ zcat orders.ndjson.gz | ipm event publish - --org acme --json',
      )}

It can be run again: events that are in the log already count as duplicates. Exit code 1 if a line was rejected; the others
are in the log all the same.`,
    );
  whenRun(publish, publishFile);
  const tail = events
    .command('tail')
    .description('show the events of an organisation as they come, until Ctrl-C; with --json one event a line')
    .addOption(orgOption('whose events'))
    .option('--service <name>', 'only events of this service')
    .addOption(new Option('--from <start>', 'where to begin').choices(STARTS).default('now'))
    .addHelpText(
      'after',
      examples(
        '$ ipm event tail --org acme',
        '$ ipm event tail --org acme --service shop --from beginning',
        '$ ipm event tail --org acme --json | jq -r .event_id',
      ),
    );
  whenRun(tail, tailEvents);
}
