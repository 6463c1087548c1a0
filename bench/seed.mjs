import { figure } from './report.mjs';
import { openSeeded } from './seeded-store.mjs';

const EVENTS = 1_000_000;

export async function measure({ events = EVENTS, eventBytes, keep }, progress) {
  const { stores, filling } = await openSeeded({ events, eventBytes, keep }, progress);
  await stores.stop();
  const { seconds, bytesPerEvent } = filling;
  return {
    how: [
      'COPY as the superuser into partitions and ledger, frozen, without write-ahead log and flushing; indexes built afterwards, VACUUM ANALYZE',
      '101 organisations, one of them with half of the events; six event types of three services, and one event in 100,000 of a rare service',
      keep === undefined
        ? 'the store is gone again; --keep FOLDER keeps it'
        : `kept in ${keep}: --store ${keep} uses it`,
    ],
    figures: [
      figure('events', 'events', [events]),
      figure('seeded, indexes and VACUUM included', 'events/s', [events / seconds]),
      figure('  in', 's', [seconds], { digits: 1 }),
      figure('disk per event, indexes included', 'bytes', [bytesPerEvent]),
    ],
  };
}
