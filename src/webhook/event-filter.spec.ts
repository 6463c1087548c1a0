import fc from 'fast-check';
import { compileFilters, FilteredEventView, type EventFilter, type FilteredEvent } from './event-filter.js';

const service = fc.constantFrom('scm', 'ics', 'pcm');
const action = fc.constantFrom('order', 'order.created', 'order.line.added', 'orders.created', 'stock.changed');
const wanted = fc.constantFrom('order', 'order.*', 'order.created', 'order.line.*', 'stock.*', 'x');
const place = fc.constantFrom('web', 'store', '');
const event: fc.Arbitrary<FilteredEvent> = fc.record({
  service,
  action,
  channelCode: fc.option(place),
  logicalGuid: fc.option(place),
  payload: fc.constant(undefined),
});
const filter: fc.Arbitrary<EventFilter> = fc.record(
  {
    service: fc.oneof(service, fc.constant('*')),
    actions: fc.array(wanted, { maxLength: 3 }),
    channel_codes: fc.array(place, { maxLength: 2 }),
    logical_guids: fc.array(place, { maxLength: 2 }),
  },
  { requiredKeys: ['service'] },
);

/** Said once more, slowly. */
function wants(filter: EventFilter, event: FilteredEvent): boolean {
  const { actions = [], channel_codes = [], logical_guids = [] } = filter;
  if (filter.service !== '*' && filter.service !== event.service) return false;
  if (actions.length > 0) {
    const patterns = actions.map((text) =>
      text.endsWith('.*')
        ? new RegExp(`^${text.slice(0, -2).replaceAll('.', '\\.')}\\..*$`)
        : new RegExp(`^${text.replaceAll('.', '\\.')}$`),
    );
    if (!patterns.some((pattern) => pattern.test(event.action))) return false;
  }
  if (channel_codes.length > 0 && (event.channelCode === null || !channel_codes.includes(event.channelCode)))
    return false;
  return !(logical_guids.length > 0 && (event.logicalGuid === null || !logical_guids.includes(event.logicalGuid)));
}

describe('a webhook wants an event', () => {
  it('if one of its filters does', () => {
    fc.assert(
      fc.property(event, fc.array(filter, { maxLength: 3 }), (event, filters) => {
        expect(compileFilters(filters)(event)).toBe(filters.some((one) => wants(one, event)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('with a payload filter only if that passes too, and the envelope is parsed once and only when it is asked for', () => {
    const parse = jest.spyOn(JSON, 'parse');
    const view = (envelope: string): FilteredEventView =>
      new FilteredEventView({
        service: 'scm',
        action: 'order.created',
        channelCode: null,
        logicalGuid: null,
        envelope,
      });
    const large = { service: 'scm', payload_filter: { field: 'total', gte: 100 } };
    try {
      const wants = compileFilters([
        { ...large, service: 'ics' },
        large,
        { ...large, payload_filter: { field: 'vip', eq: true } },
      ]);
      expect(wants(view('{"payload":{"total":100}}'))).toBe(true);
      parse.mockClear();
      expect(wants(view('{"payload":{"total":99}}'))).toBe(false);
      expect(parse).toHaveBeenCalledTimes(1);
      expect(compileFilters([{ service: 'ics', payload_filter: large }])(view('never parsed'))).toBe(false);
      expect(parse).toHaveBeenCalledTimes(1);
      expect(wants(view('{}'))).toBe(false);
    } finally {
      parse.mockRestore();
    }
  });
});
