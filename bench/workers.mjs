import { DeliveryGround } from './delivery-ground.mjs';
import { drain } from './drain.mjs';
import { figuresOver, judgedAlone } from './report.mjs';

const CASES = [
  { name: '50 webhooks of 50 organisations', organisations: 50, webhooks: 50 },
  { name: '50 webhooks of one organisation', organisations: 1, webhooks: 50 },
];

export async function measure({ runs = 3, deliveries = 100_000 }, progress) {
  const ground = await DeliveryGround.start(progress);
  try {
    const cases = [];
    for (const one of CASES) cases.push({ ...one, field: await ground.field(one), results: [] });
    const each = Math.max(1, Math.round(deliveries / 50));
    for (let run = 1; run <= runs; run += 1)
      for (const { name, field, results } of cases) {
        const one = await drain(ground, field, { each });
        const two = await drain(ground, field, { each, workers: 2 });
        results.push({ one, two });
        const [ofOne, ofTwo] = [one, two].map(({ perSecondSinceReady }) => perSecondSinceReady.toFixed(0));
        progress(`run ${run}: ${name}: one worker ${ofOne}/s, two ${ofTwo}/s`);
      }
    const results = cases.flatMap((one) => one.results.flatMap(({ one: ofOne, two }) => [ofOne, two]));
    return {
      how: how(deliveries),
      ...judgedAlone(
        cases.flatMap(figuresOf),
        results.map(({ used }) => ({ otherCores: used.others / used.wall })),
      ),
    };
  } finally {
    await ground.stop();
  }
}

function figuresOf({ name, results }) {
  const show = figuresOver(results);
  const cores = { digits: 2 };
  return [
    show(`${name}: two / one`, 'ratio', ({ one, two }) => two.perSecondSinceReady / one.perSecondSinceReady, {
      digits: 2,
    }),
    ...['one', 'two'].flatMap((count) => [
      show(`  ${count}: drained`, 'deliveries/s', (result) => result[count].perSecondSinceReady),
      ...['worker', 'postgres', 'sink', 'others'].map((part) =>
        show(`    cores busy: ${part}`, 'cores', ({ [count]: { used } }) => used[part] / used.wall, cores),
      ),
      show('    CPU of workers', 's/1000', ({ [count]: { used, sinceReady } }) => (1_000 * used.worker) / sinceReady, {
        digits: 4,
      }),
    ]),
  ];
}

function how(deliveries) {
  return [
    `${deliveries} deliveries, published while no worker runs; then one worker or two are started on the same machine, with the sink and Postgres: two show what sharing costs and not what a second machine would bring`,
    'from when all workers are ready to the last call at the sink; each event at each webhook exactly once or the run does not count',
    'Postgres with fsync and synchronous_commit on',
  ];
}
