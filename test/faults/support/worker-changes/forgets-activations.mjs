// Sabotage of F18, with the one in the database: nobody asks in which activation a webhook's calls failed.
import { LaneHealth } from '../../../../dist/delivery/lane-health.service.js';

LaneHealth.prototype.judge = async function judgeAnyhow(state, notes) {
  const target = this.targets.byLane(state.lane);
  if (target && notes?.lastError) await this.autoPause.judge(target, state, notes.lastError);
};
