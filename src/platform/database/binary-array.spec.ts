import fc from 'fast-check';
import pg from 'pg';
import { required } from '../../../test/support/environment.js';
import { binaryTextArray } from './binary-array.js';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.json(),
  fc.constantFrom('', '"', '\\', '{}', 'NULL', 'ü😀'),
);
const storable = text.filter((one) => one.isWellFormed() && !one.includes('\0'));

describe('a list of texts in binary', () => {
  let client: pg.Client;
  beforeAll(async () => {
    client = new pg.Client({ connectionString: `${required('TEST_DATABASE_ADMIN_URL')}/postgres` });
    await client.connect();
  });
  afterAll(() => client.end());

  it('is to Postgres the list that it was', async () => {
    const lists = fc.array(fc.option(storable), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(lists, async (list) => {
        const { rows } = await client.query<{ list: unknown }>('select to_json($1::text[]) as list', [
          binaryTextArray(list),
        ]);
        expect(rows[0]?.list).toEqual(list);
      }),
      { numRuns: 200 },
    );
  });
});
