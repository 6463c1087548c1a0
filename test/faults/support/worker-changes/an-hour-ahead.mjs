// The wall clock of this process is an hour ahead; `performance.now`, which no one sets, is right.
import { shiftClock } from './shifted-clock.mjs';

shiftClock(60 * 60_000);
