// A report: `how` it was measured, `figures` (name, unit, one value per run, a target if there is one), and `notes`.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export function figure(name, unit, values, { atLeast, atMost, digits = 0 } = {}) {
  const round = (value) => Number(value.toFixed(digits + 1));
  return {
    name,
    unit,
    runs: values.length,
    median: round(median(values)),
    min: round(Math.min(...values)),
    max: round(Math.max(...values)),
    ...(atLeast === undefined ? {} : { target: `>= ${atLeast}`, met: median(values) >= atLeast }),
    ...(atMost === undefined ? {} : { target: `<= ${atMost}`, met: median(values) <= atMost }),
    digits,
    values: values.map(round),
  };
}

/** Figures of a list of results, one after the other: `(name, unit, pick, options)`. */
export function figuresOver(results) {
  return (name, unit, pick, options) => figure(name, unit, results.map(pick), options);
}

/** Not a median: every run counts, and however busy the machine is. */
export function never(name, unit, values) {
  return { ...figure(name, unit, values), target: '0', met: values.every((value) => value === 0) };
}

const SATURATED = 0.85;
const OTHER_WORK = 0.15;
const cores = { digits: 2 };

/** Of results of raw-load.mjs: who used the cores. */
export function usageFigures(results, generator = 'load generator') {
  const show = figuresOver(results);
  return [
    show('  cores busy: server', 'cores', ({ serverCores }) => serverCores, cores),
    show('  cores busy: Postgres', 'cores', ({ postgresCores }) => postgresCores, cores),
    show(`  cores busy: ${generator}`, 'cores', ({ generatorCores }) => generatorCores, cores),
    show('  cores busy: others', 'cores', ({ otherCores }) => otherCores, cores),
  ];
}

/**
 * Other work on the machine takes more from the faster of two servers, and so makes a ratio better and a rate worse: figures
 * of runs in which a server did not have a core for itself are shown, not judged, but for a rate that was met all the same.
 */
export function judged(figures, results) {
  const shares = results.map(({ serverCoreShare }) => serverCoreShare).filter((share) => share !== undefined);
  const starved = shares.filter((share) => share < SATURATED);
  if (starved.length === 0) return { figures, notes: [] };
  const least = Math.min(...starved).toFixed(2);
  return notJudged(
    figures,
    `in ${starved.length} of ${shares.length} runs the server had less than ${SATURATED} of a core (${least})`,
  );
}

/** The same where Postgres works as much as the server, so that neither has a core for itself: by what nobody of us has used. */
export function judgedAlone(figures, results) {
  const busy = results.map(({ otherCores }) => otherCores).filter((cores) => cores > OTHER_WORK);
  if (busy.length === 0) return { figures, notes: [] };
  const most = Math.max(...busy).toFixed(2);
  return notJudged(
    figures,
    `in ${busy.length} of ${results.length} runs others used more than ${OTHER_WORK} of a core (${most})`,
  );
}

function notJudged(figures, because) {
  return {
    figures: figures.map((one) => (one.target && !isMetRate(one) ? { ...one, met: 'not judged' } : one)),
    notes: ['', `NOT JUDGED: ${because}: the machine did other work.`],
  };
}

function isMetRate({ unit, met }) {
  return unit.endsWith('/s') && met === true;
}

/** What the user can mend: said without a stack. */
export function notMeasured(message) {
  return Object.assign(new Error(message), { name: 'NotMeasured' });
}

export function meetsTargets({ figures }) {
  return figures.every(({ met = true }) => met === true);
}

export function tableOf({ bench, machine, how, figures, notes = [] }) {
  const rows = figures.map(({ name, unit, runs, target = '', met, digits, ...value }) => [
    name,
    ...[unit, String(runs)],
    ...[value.median, value.min, value.max].map((number) => number.toFixed(digits)),
    target,
    verdictOf(met),
  ]);
  const { cores, cpu, memory_gb, system, node, date, load_average_before } = machine;
  return [
    `${bench}: ${cores} cores (${cpu}), ${memory_gb} GB, ${system}, Node ${node}, ${date}, load average before ${load_average_before}`,
    '',
    ...aligned([['figure', 'unit', 'runs', 'median', 'min', 'max', 'target', ''], ...rows]),
    '',
    ...how.map((line) => `How: ${line}`),
    ...notes,
  ].join('\n');
}

function verdictOf(met) {
  if (typeof met === 'boolean') return met ? 'met' : 'MISSED';
  return met ?? '';
}

export function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isNumber = (cell) => /^-?[\d.]+%?$/.test(cell);
  return rows.map((row) =>
    row
      .map((cell, column) => (isNumber(cell) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}
