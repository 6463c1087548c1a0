/** Requests in flight at once, for one webhook, for all of an organisation, and in this process. */
export const IN_FLIGHT = { lane: 64, organisation: 128, process: 256 };
/** Deliveries in memory that are ours and not sent yet. */
export const QUEUED = { lane: 2_000, slowLane: 64, process: 20_000 };
/** While an organisation has so many queued for endpoints that keep up, what else there is stays in the log. */
export const ENOUGH_QUEUED = 1_000;
export const LANES_A_CLAIM = 100;
/** Events times webhooks of one routing transaction. */
export const MAX_ROUTED_PAIRS = 10_000;
/** Workers that a delivery may take with it before it is given up. */
export const MAX_LOST_WITH = 5;
