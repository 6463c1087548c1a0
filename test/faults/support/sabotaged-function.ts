import type { TestDatabase } from '../../support/database.js';

/** What stands in a function, and what somebody might have written instead. */
export type Mistake = readonly [is: string, instead: string];

/**
 * Replaces a function of the database by one with these mistakes. Made from the function as it is, so that a sabotage that no
 * longer fits says so and is not forgotten. Answers how to undo it.
 */
export async function sabotagedFunction(
  { asOwner }: Pick<TestDatabase, 'asOwner'>,
  name: string,
  mistakes: readonly Mistake[],
): Promise<() => Promise<unknown>> {
  const [row] = await asOwner<{ sql: string }>(`select pg_get_functiondef('${name}'::regproc) as sql`);
  const { sql } = row!;
  const sabotaged = mistakes.reduce((text, [is, instead]) => {
    if (!text.includes(is)) throw new Error(`${name} has changed, and this sabotage must too: ${is} is not in it`);
    return text.replace(is, () => instead);
  }, sql);
  await asOwner(sabotaged);
  return () => asOwner(sql);
}
