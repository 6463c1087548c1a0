import { InvalidArgumentError, Option, type Command } from 'commander';
import { examples, orgOption, whenRun } from './options.js';
import { FORMATS, listen } from './webhook-listen.js';

export function addWebhookCommands(webhooks: Command): void {
  const command = webhooks
    .command('listen')
    .description(
      'send the events that come from now on to a server on your machine, as a webhook would get them, until Ctrl-C',
    )
    .addOption(
      new Option('--forward-to <url>', 'your server, on this machine or in a private network')
        .argParser(parseUrl)
        .makeOptionMandatory(),
    )
    .addOption(orgOption('whose events; needed where there are several organisations', { mandatory: false }))
    .option('--service <name>', 'only events of this service')
    .addOption(new Option('--format <format>', 'of the body').choices(FORMATS).default('envelope'))
    .addHelpText(
      'after',
      `${examples(
        '$ ipm webhook listen --forward-to http://localhost:8080/hook',
        '$ ipm webhook listen --forward-to http://localhost:8080/hook --org acme --service shop',
        '$ ipm webhook listen --forward-to http://localhost:8080/hook --json | jq -c "{event_id, status}"',
      )}

The calls are signed with a secret that it prints first and that is of no use afterwards. Each event is sent once, in the order of the
log; what fails is shown and not sent again. Nothing is stored: it is no webhook, and needs none.`,
    );
  whenRun(command, listen);
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ['http:', 'https:'].includes(url.protocol)) return url;
  throw new InvalidArgumentError('A URL is written as http://localhost:8080/hook.');
}
