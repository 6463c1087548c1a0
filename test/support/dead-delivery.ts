import { anEvent } from './events.js';
import { until } from './until.js';

type Data = (path: string, body: object) => Promise<Record<string, unknown>>;

/** The id of one: an event is published to a webhook that nobody answers for. */
export async function aDeadDelivery(data: Data): Promise<string> {
  const { webhook_id } = await data('/webhook/create', {
    endpoint_url: 'https://receiver.invalid/in',
    event_filters: [{ service: '*' }],
    retry_schedule: [0],
  });
  await data('/event/publish', { events: [anEvent()] });
  let items: { delivery_id: string }[] = [];
  await until(async () => {
    ({ items } = (await data('/webhook/delivery/list', { webhook_id, status: 'dead' })) as { items: typeof items });
    return items.length > 0;
  });
  return items[0]!.delivery_id;
}
