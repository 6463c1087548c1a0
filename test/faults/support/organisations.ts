import { TestApi } from '../../support/api.js';
import type { TestDatabase } from '../../support/database.js';
import type { Organisation } from './door.js';

/** New organisations with an owner's key each, made by an application that is gone afterwards. */
export async function organisationsOn(database: TestDatabase, count: number): Promise<Organisation[]> {
  const api = await TestApi.startOn(database);
  try {
    const made: Organisation[] = [];
    while (made.length < count) made.push(await api.anOwner());
    return made;
  } finally {
    await api.app.close();
  }
}
