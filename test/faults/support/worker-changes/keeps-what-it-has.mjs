// Sabotage of F17: a worker that stops gives nothing back.
import { AttemptResults } from '../../../../dist/delivery/attempt-results.service.js';

AttemptResults.prototype.giveBack = () => undefined;
