import { EventsExpired } from '../cdc/log-export.service.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { ObjectStoreUnavailable, UploadGone } from '../platform/object-store/object-store-failures.js';
import { bulkFailures } from './bulk.errors.js';
import { JobFailure } from './job-failure.js';
import { Setbacks } from './setbacks.js';

const PATIENCE_MS = 10_000;
const away = (): Error => new ObjectStoreUnavailable('is full', undefined);
const busy = (): Error => new AppError(platformErrors.databaseUnavailable);
const unforeseen = (): Error => new TypeError('x is not a function');

describe('the setbacks of a job', () => {
  let setbacks: Setbacks;
  beforeEach(() => {
    setbacks = new Setbacks(PATIENCE_MS);
    setbacks.stands(1n);
  });
  const after = (error: unknown, nowMs = 0): string | undefined => setbacks.failureAfter(error, nowMs)?.error_tag;

  it('end it at once where nobody could do better', () => {
    expect(after(new JobFailure(bulkFailures.uploadUnreadable))).toBe('upload_unreadable');
    expect(after(new EventsExpired())).toBe('events_expired');
    expect(setbacks.waitMs).toBe(0);
  });

  it('end it when the store was away for longer than one waits for it, and not before', () => {
    expect(after(away(), 5_000)).toBeUndefined();
    expect(after(away(), 15_000)).toBeUndefined();
    expect(after(away(), 15_001)).toBe('object_store_unavailable');
  });

  it('are forgotten when it has come a step further', () => {
    expect(after(away(), 0)).toBeUndefined();
    setbacks.stands(2n);
    expect(after(away(), 15_000)).toBeUndefined();
    setbacks.stands(2n);
    expect(after(away(), 25_001)).toBe('object_store_unavailable');
  });

  it('never end it while the database is away: nobody could write that down, and it heals', () => {
    for (let hour = 0; hour < 100; hour += 1) expect(after(busy(), hour * 3_600_000)).toBeUndefined();
    expect(setbacks.waitMs).toBe(30_000);
  });

  it('end it after three errors in one place that nobody has foreseen; a forgotten upload is none', () => {
    expect(
      [unforeseen(), new UploadGone('k'), unforeseen(), busy(), unforeseen()].map((error) => after(error)),
    ).toEqual([undefined, undefined, undefined, undefined, 'bulk_job_broken']);
  });

  it('are waited for, each longer than the one before', () => {
    const waits = Array.from({ length: 8 }, () => {
      after(busy());
      return setbacks.waitMs;
    });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });
});
