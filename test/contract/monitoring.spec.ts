import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { TestApi } from '../support/api.js';

const TOKEN = 'a token for the metrics of a spec';
/** What Prometheus itself knows of a target. */
const OF_PROMETHEUS = ['up'];

interface AlertRule {
  alert: string;
  expr: string;
  annotations: { runbook: string };
}

const dashboard = readFileSync('docs/monitoring/grafana-dashboard.json', 'utf8');
const { groups } = parse(readFileSync('docs/monitoring/alerts.yml', 'utf8')) as { groups: { rules: AlertRule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(dashboard) as { panels: { title: string; targets?: { expr: string }[] }[] };
const drawn = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** Names in a query that are metrics: what is neither a function nor a label nor a word of the language. */
function metricsIn(query: string): string[] {
  const bare = query.replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, ' ').replace(/\b(by|without)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/\b([a-z][a-z0-9_]*)\b(?!\s*\()/g)].map(([, name]) => name!);
}

/** A histogram is one metric of three names. */
const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');

describe('what operators watch', () => {
  let api: TestApi;
  let known: Set<string>;
  beforeAll(async () => {
    api = await TestApi.start({ METRICS_TOKEN: TOKEN, IPM_ROLE: 'all' });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const { payload } = await api.app.getHttpAdapter().getInstance().inject({ url: '/metrics', headers });
    known = new Set([...payload.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
  });
  afterAll(() => api.close());

  it.each(rules.map(({ alert, expr }) => [alert, expr]))('%s asks for metrics that there are', (_alert, expr) => {
    const asked = metricsIn(expr).filter((name) => !OF_PROMETHEUS.includes(name));
    expect(asked.filter((name) => !known.has(name) && !known.has(base(name)))).toEqual([]);
  });

  it('the dashboard draws metrics that there are', () => {
    const asked = new Set(drawn.flatMap(metricsIn));
    expect(asked.size).toBeGreaterThan(20);
    expect([...asked].filter((name) => !known.has(name) && !known.has(base(name)))).toEqual([]);
  });

  it('every metric of ours is drawn or rings', () => {
    const asked = new Set([...drawn, ...rules.map(({ expr }) => expr)].flatMap(metricsIn).map(base));
    expect([...known].filter((name) => name.startsWith('ipm_') && !asked.has(name))).toEqual([]);
  });

  it('every alert has its steps in the runbook', () => {
    const headings = readFileSync('docs/operations.md', 'utf8').match(/^### \w+$/gm) ?? [];
    const anchors = headings.map((heading) => `docs/operations.md#${heading.slice(4).toLowerCase()}`);
    expect(rules.map(({ annotations }) => annotations.runbook).filter((link) => !anchors.includes(link))).toEqual([]);
    expect(rules.map(({ alert }) => alert.toLowerCase())).toEqual(
      rules.map(({ annotations }) => annotations.runbook.split('#')[1]),
    );
  });
});
