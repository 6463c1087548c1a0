/**
 * The items of an answer as JSON that was rendered before. They were checked when they were stored; parsing them only to write
 * them again would cost more than everything else that a page costs.
 */
export class RenderedItems {
  constructor(readonly texts: readonly string[]) {}

  toJSON(): object[] {
    return this.texts.map((text) => JSON.parse(text) as object);
  }
}

/** As JSON.stringify, with the items of `data` put in as they are. */
export function stringifyWith(items: RenderedItems, envelope: { success: true; data: object }): string {
  const { success, data, ...rest } = envelope;
  const others = JSON.stringify({ ...data, items: undefined }).slice(1, -1);
  return `{"success":${success},"data":{"items":[${items.texts.join(',')}]${others && `,${others}`}},${JSON.stringify(rest).slice(1)}`;
}
