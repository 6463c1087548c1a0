// Sabotage of F12: a worker whose clock is an hour ahead judges by it which leases are over.
import { shiftClock } from './shifted-clock.mjs';

shiftClock(60 * 60_000);

const { DeliveryRepository } = await import('../../../../dist/delivery/delivery.repository.js');
const { recover } = DeliveryRepository.prototype;
DeliveryRepository.prototype.recover = async function recoverByOwnClock(atMost) {
  await this.database.plainAcross('delivery', (tx) =>
    tx.rows(
      'leases over by our clock',
      `update delivery_lease set lease_until = clock_timestamp() - interval '1 millisecond' where lease_until < to_timestamp($1)`,
      [Date.now() / 1_000],
    ),
  );
  return recover.call(this, atMost);
};
