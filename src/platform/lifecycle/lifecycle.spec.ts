import fc from 'fast-check';
import { AppError } from '../errors/app-error.js';
import { Lifecycle, type LifecycleDefinition } from './lifecycle.js';

const door = new Lifecycle({
  service: 'spec',
  name: 'door',
  states: ['open', 'closed', 'locked'],
  transitions: [
    { from: 'open', to: 'closed', rule: 'Pushed.' },
    { from: 'closed', to: 'open', rule: 'Pulled.' },
    { from: 'closed', to: 'locked', rule: 'Key turned.' },
  ],
});

describe('Lifecycle', () => {
  it('allows the steps that its definition names and no other, for any definition', () => {
    const states = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 6 });
    const definition = states.chain((of) => {
      const state = fc.constantFrom(...of);
      return fc.record({
        service: fc.constant('spec'),
        name: fc.constant('any'),
        states: fc.constant(of),
        transitions: fc.array(fc.record({ from: state, to: state, rule: fc.string() })),
      });
    });
    fc.assert(
      fc.property(definition, (given: LifecycleDefinition<string>) => {
        const lifecycle = new Lifecycle(given);
        for (const from of given.states) {
          for (const to of given.states) {
            const named = given.transitions.some((transition) => transition.from === from && transition.to === to);
            expect(lifecycle.allows(from, to)).toBe(named);
          }
        }
      }),
    );
  });

  it('refuses a step as 409 lifecycle_step_refused and names it', () => {
    expect(() => door.assertStep('closed', 'locked')).not.toThrow();
    const refusal = ((): unknown => {
      try {
        return door.assertStep('open', 'locked');
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(AppError);
    expect(refusal).toMatchObject({
      failure: { tag: 'lifecycle_step_refused', status: 409 },
      context: { details: { lifecycle: 'door', from: 'open', to: 'locked' } },
    });
  });

  it('is not the same step to stay where one is, unless it says so', () =>
    expect(door.allows('open', 'open')).toBe(false));

  it.each([
    ['from', { from: 'ajar', to: 'open', rule: '' }],
    ['to', { from: 'open', to: 'ajar', rule: '' }],
  ])('cannot be made with an unknown state in %s', (_where, transition) => {
    const make = (): unknown =>
      new Lifecycle({ service: 'spec', name: 'door', states: ['open'], transitions: [transition] });
    expect(make).toThrow('lifecycle door has no state');
  });
});
