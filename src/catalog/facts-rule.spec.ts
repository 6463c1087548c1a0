import fc from 'fast-check';
import { factsProblems, factsRuleProblems, mergedFacts, type FactsRule } from './facts-rule.js';

const rule: FactsRule = { references: 'required', numerics: ['units', 'price.net'] };

describe('factsProblems', () => {
  it('is content when each figure stands on a referenced claim or calculation', () => {
    const payload = {
      referenced_claim_ids: ['claim-1'],
      referenced_calc_ids: ['calc-1'],
      units: 4,
      units_claim_id: 'claim-1',
      price: { net: 9.5, net_calc_id: 'calc-1' },
    };
    expect(factsProblems(payload, rule)).toEqual([]);
  });

  const broken: [string, object, { path: string; tag: string }][] = [
    ['no reference at all', {}, { path: 'payload.referenced_claim_ids', tag: 'reference_required' }],
    [
      'empty references',
      { referenced_claim_ids: [], referenced_calc_ids: [''] },
      { path: 'payload.referenced_claim_ids', tag: 'reference_required' },
    ],
    [
      'references that are no texts',
      { referenced_claim_ids: [1, null, {}] },
      { path: 'payload.referenced_claim_ids', tag: 'reference_required' },
    ],
    [
      'a free figure',
      { referenced_claim_ids: ['c'], units: 0 },
      { path: 'payload.units', tag: 'number_without_source' },
    ],
    [
      'a figure with an empty source',
      { referenced_claim_ids: ['c'], units: 1, units_claim_id: '' },
      { path: 'payload.units', tag: 'number_without_source' },
    ],
    [
      'a source that is not referenced',
      { referenced_claim_ids: ['c'], units: 1, units_calc_id: 'd' },
      { path: 'payload.units', tag: 'source_not_referenced' },
    ],
    [
      'a free figure deep inside',
      { referenced_claim_ids: ['c'], price: { net: 1 } },
      { path: 'payload.price.net', tag: 'number_without_source' },
    ],
    [
      'a source beside the wrong figure',
      { referenced_claim_ids: ['c'], net_claim_id: 'c', price: { net: 1 } },
      { path: 'payload.price.net', tag: 'number_without_source' },
    ],
  ];
  it.each(broken)('names %s', (_what, payload, problem) => {
    expect(factsProblems(payload, rule)).toEqual([problem]);
  });

  it('leaves alone figures that are not there', () => {
    expect(factsProblems({ referenced_calc_ids: ['c'], units: null, price: 7 }, rule)).toEqual([]);
  });

  it('answers for any payload and any rule and never throws', () => {
    const paths = fc.array(fc.constantFrom('units', 'price.net', 'a.b.c', 'constructor', '__proto__.x', 'toString'));
    const references = fc.constantFrom<FactsRule['references']>('required', 'optional');
    const ids = fc.constantFrom('c', 'd', '', 7, null, ['c']);
    const payloads = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          referenced_claim_ids: fc.oneof(fc.array(ids), ids),
          units: fc.double(),
          units_claim_id: ids,
          price: fc.oneof(fc.record({ net: fc.integer(), net_calc_id: ids }, { requiredKeys: [] }), fc.integer()),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(payloads, paths, references, (payload, numerics, demanded) => {
        for (const { path, tag } of factsProblems(payload, { references: demanded, numerics })) {
          expect(path.startsWith('payload.')).toBe(true);
          expect(['reference_required', 'number_without_source', 'source_not_referenced']).toContain(tag);
        }
      }),
    );
  });

  it('finds a figure free whatever stands around it, unless its source is referenced', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/)),
        fc.stringMatching(/^[a-z]{1,4}$/),
        (units, claims, source) => {
          const payload = { referenced_claim_ids: claims, units, units_claim_id: source };
          const problems = factsProblems(payload, { references: 'optional', numerics: ['units'] });
          expect(problems.length === 0).toBe(claims.includes(source));
        },
      ),
    );
  });
});

describe('mergedFacts', () => {
  it('demands what either side demands', () => {
    const optional: FactsRule = { references: 'optional', numerics: ['b', 'units'] };
    expect(mergedFacts(rule, optional)).toEqual({ references: 'required', numerics: ['units', 'price.net', 'b'] });
    expect(mergedFacts(optional, { ...optional, numerics: [] })?.references).toBe('optional');
    expect(mergedFacts(undefined, rule)).toEqual(rule);
    expect(mergedFacts(rule, undefined)).toEqual(rule);
    expect(mergedFacts(undefined, undefined)).toBeUndefined();
  });
});

describe('factsRuleProblems', () => {
  it.each([
    [
      { references: 'sometimes', numerics: [] },
      { path: 'facts.references', tag: 'not_one_of' },
    ],
    [
      { references: 'required', numerics: 'units' },
      { path: 'facts.numerics', tag: 'not_a_list' },
    ],
    [
      { references: 'required', numerics: Array(51).fill('units') },
      { path: 'facts.numerics', tag: 'not_a_list' },
    ],
    [
      { references: 'required', numerics: ['units', 'lines[].units'] },
      { path: 'facts.numerics.1', tag: 'not_a_path' },
    ],
    [
      { references: 'required', numerics: [7] },
      { path: 'facts.numerics.0', tag: 'not_a_path' },
    ],
  ])('names what is wrong with %j', (facts, problem) => {
    expect(factsRuleProblems(facts)).toEqual([problem]);
  });

  it('takes a good rule', () => {
    expect(factsRuleProblems({ ...rule })).toEqual([]);
  });
});
