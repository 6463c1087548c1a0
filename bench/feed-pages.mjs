import pg from 'pg';
import { feedFilters } from '../dist/cdc/feed-filters.js';
import { feedScope } from '../dist/cdc/feed.service.js';
import { readConfiguration } from '../dist/platform/config/configuration.js';
import { Paging } from '../dist/platform/http/paging.js';
import { Keyring } from '../dist/platform/secrets/keyring.js';
import { ORGCODE } from './ipm-server.mjs';
import { RARE_SERVICE } from './seed-layout.mjs';

/** Around the middle of the log: not one page again and again, and not so many that the disk is what is measured. */
const PLACES = 16;

/** The pages that are asked for, as bodies of cdc/list; each starts at several places. */
export async function feedPages(ipm, layout) {
  const deepPages = await deepPagesOf(ipm, layout);
  return [
    { name: 'first page', bodies: [{}], isFull: true },
    { name: 'deep page', bodies: deepPages({}), isFull: true },
    { name: 'rare service', bodies: deepPages({ service: RARE_SERVICE }) },
    { name: 'one minute', bodies: minutesOf(layout), isFull: true },
  ];
}

/** Pages with some filters, each after a token. */
export async function deepPagesOf({ databaseUrl, environment }, layout) {
  const paging = new Paging(new Keyring(readConfiguration(environment)), { epoch: await epochOf(databaseUrl) });
  return (filters) => {
    const scope = feedScope(ORGCODE, feedFilters(filters));
    return placesIn(layout).map((position) => ({
      ...filters,
      next_token: paging.tokenAt([String(position)], scope),
    }));
  };
}

export function minutesOf(layout) {
  return placesIn(layout).map((position) => layout.minuteAround(position));
}

function placesIn({ events }) {
  return Array.from({ length: PLACES }, (_, i) => Math.floor(events * (0.4 + (0.2 * i) / PLACES)));
}

async function epochOf(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query('select epoch from database_life');
  await client.end();
  return rows[0].epoch;
}
