import type { Command } from 'commander';
import { DatabaseLife } from '../platform/database/database-life.js';
import { CommandFailure, EXIT } from './failure.js';
import { withServices } from './operator.js';
import { examples, whenRun } from './options.js';
import type { CommandResult } from './output.js';

const WHAT_IT_DOES =
  'every next_token handed out so far is refused from then on, and readers start again where they choose';

export function addEpochCommands(epoch: Command): void {
  const begin = epoch
    .command('new')
    .description(`begin a new epoch, after a restore in place: ${WHAT_IT_DOES}`)
    .option('--yes', 'really do it')
    .addHelpText(
      'after',
      `${examples('$ ipm epoch new --yes')}

A copy or a restore into another database or cluster is noticed by itself. Restart every process of IPM afterwards.`,
    );
  whenRun(begin, beginEpoch);
}

async function beginEpoch({ yes }: { yes?: true }): Promise<CommandResult> {
  if (!yes) {
    throw new CommandFailure(
      EXIT.wrongUsage,
      'not_confirmed',
      `This begins a new epoch: ${WHAT_IT_DOES}. Add --yes to do it.`,
    );
  }
  const epoch = await withServices((services) => services.get(DatabaseLife).begin());
  return {
    document: { epoch },
    text: `A new epoch began: ${epoch}\nNow restart every process of IPM: they know only the old one.`,
  };
}
