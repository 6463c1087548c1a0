import { setTimeout as sleep } from 'node:timers/promises';
import type { TcpProxy } from '../../support/tcp-proxy.js';
import { underLoad } from './load.js';
import type { Persistence } from './publisher.js';
import { Trial, type Outcome, type Stage } from './trial.js';

const PATIENCE_MS = 240_000;

/**
 * F8. Lines to Postgres break right after an append was sent, or when it is committed and the answer is on its way. Nobody can
 * know then whether it stands; who tries again converges: one event, and every answer names its one position.
 */
export async function lostAnswers(
  stage: Stage,
  lines: readonly TcpProxy[],
  losses: number,
  clients: Persistence = {},
): Promise<Outcome> {
  const trial = new Trial(stage);
  const random = trial.random.branch();
  const lost = (): number => lines.reduce((sum, line) => sum + line.lost, 0);
  const before = lost();
  await underLoad(trial, { pages: [17, 256], ...clients }, async () => {
    const until = Date.now() + PATIENCE_MS;
    while (lost() - before < losses && Date.now() < until) {
      random.pick(lines).lose('ipm_append', random.pick(['sent', 'answered']));
      await sleep(random.between(5, 60));
    }
    for (const line of lines) line.lose('ipm_append', 'sent', 0);
  });
  return trial.outcome({ losses: lost() - before });
}
