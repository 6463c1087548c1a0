import { readdirSync } from 'node:fs';
import path from 'node:path';
import { contract } from '../../test/support/contract.js';
import { bulkJobLifecycle } from '../bulk/bulk-job-lifecycle.js';
import { operationRunLifecycle } from '../operations/operation-run-lifecycle.js';
import { Lifecycle } from '../platform/lifecycle/lifecycle.js';
import { webhookLifecycle } from '../webhook/webhook-lifecycle.js';
import { LIFECYCLES, LIFECYCLES_VERSION, versionOf } from './lifecycles.js';

function enumOf(schema: string, property: string): string[] {
  const { properties } = contract.components.schemas[schema] as { properties: Record<string, { enum: string[] }> };
  return properties[property]!.enum;
}

describe('the lifecycles', () => {
  it('are all those of the source, the very objects that rooms ask', async () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('-lifecycle.ts'),
    );
    const modules = await Promise.all(
      files.map((name) => import(path.resolve('src', name)) as Promise<Record<string, unknown>>),
    );
    const found = modules.flatMap((module) => Object.values(module)).filter((one) => one instanceof Lifecycle);
    expect(found).toHaveLength(files.length);
    expect(new Set(found)).toEqual(new Set(LIFECYCLES));
    for (const lifecycle of found) expect(LIFECYCLES).toContain(lifecycle);
  });

  it('have names of their own, and steps between states of theirs, each said once and explained', () => {
    expect(new Set(LIFECYCLES.map(({ service, name }) => `${service}.${name}`)).size).toBe(LIFECYCLES.length);
    for (const { states, transitions } of LIFECYCLES) {
      const steps = transitions.map(({ from, to }) => `${from} to ${to}`);
      expect(new Set(steps).size).toBe(steps.length);
      for (const { from, to, rule } of transitions) {
        expect(states).toContain(from);
        expect(states).toContain(to);
        expect(rule).toMatch(/^[A-Z].{10,}\.$/);
      }
    }
  });

  it('have the states that the contract gives webhooks and bulk jobs', () => {
    expect(webhookLifecycle.states).toEqual(enumOf('Webhook', 'status'));
    expect(bulkJobLifecycle.states).toEqual(enumOf('BulkJob', 'status'));
  });

  it('have the states that document 001 gives operation runs', () => {
    expect(operationRunLifecycle.states).toEqual(['queued', 'running', 'completed']);
  });

  it('never leave a state that is final', () => {
    const leaving = (lifecycle: (typeof LIFECYCLES)[number], state: string): number =>
      lifecycle.transitions.filter(({ from, to }) => from === state && to !== state).length;
    expect(leaving(webhookLifecycle, 'revoked')).toBe(0);
    expect(leaving(bulkJobLifecycle, 'completed') + leaving(bulkJobLifecycle, 'failed')).toBe(0);
    expect(leaving(operationRunLifecycle, 'completed')).toBe(0);
  });
});

describe('the version of the lifecycles', () => {
  const [first, ...rest] = LIFECYCLES as [(typeof LIFECYCLES)[number], ...(typeof LIFECYCLES)[number][]];

  it('stays while the definitions stay', () => {
    expect(versionOf(LIFECYCLES.map((lifecycle) => new Lifecycle(lifecycle)))).toBe(LIFECYCLES_VERSION);
  });

  it.each([
    [
      'a rule is reworded',
      { ...first, transitions: first.transitions.map((step) => ({ ...step, rule: 'Otherwise.' })) },
    ],
    ['a state is added', { ...first, states: [...first.states, 'new'] }],
    ['a step is removed', { ...first, transitions: first.transitions.slice(1) }],
    ['a lifecycle is renamed', { ...first, name: 'other' }],
  ])('changes when %s', (_what, changed) => {
    expect(versionOf([changed, ...rest])).not.toBe(LIFECYCLES_VERSION);
  });

  it('changes when a lifecycle goes', () => {
    expect(versionOf(rest)).not.toBe(LIFECYCLES_VERSION);
  });
});
