import { setTimeout as sleep } from 'node:timers/promises';
import { DurableStores } from './durable-stores.mjs';
import { startIpm, writeGrounds } from './ipm-server.mjs';
import { KeepAliveClient } from './keep-alive-client.mjs';
import { aligned, figure, never } from './report.mjs';

const pageRead = ['audit/list', { limit: 8 }];
const noTable = ['pagination/get', {}];
/** Flushed to the disk, and in one organisation one after the other: more of them would leave little else in flight. */
const write = ['access/session/open', { ...writeGrounds(), actor: 'bench', roles: ['integration_view'] }];
const OPERATIONS = [noTable, pageRead, noTable, pageRead, noTable, pageRead, noTable, write];

/** Besides those: nobody waits for these answers, and so must a stop not. */
const LEAVING = { name: 'leaving without the answer', pauseMs: () => 5, leaves: true };
const LEAVING_CLIENTS = 4;
const EXIT_WITHIN_MS = 30_000;

/** How clients behave: of every eight connections five are busy, and one of each of the others. */
const busy = { name: 'busy', pauseMs: () => 0 };
const MANNERS = [
  ...Array.from({ length: 5 }, () => busy),
  { name: 'pausing up to 200 ms', pauseMs: () => Math.random() * 200 },
  { name: 'body sent 50 ms after the head', pauseMs: () => 0, bodyAfterMs: 50 },
  { name: 'new connection each time', pauseMs: () => 0, closing: true },
];

export async function measure({ runs = 5, seconds = 2, connections = 64 }, progress) {
  const stores = await DurableStores.start(progress);
  try {
    const rounds = [];
    for (let i = 1; i <= runs; i += 1) {
      const round = await stopUnderLoad(stores, seconds, connections);
      rounds.push(round);
      progress(
        `round ${i}: ${round.sent.length} sent, ${lost(round).length} lost, ${lostInQueue(round).length} lost in the queue, ${round.exit} after ${round.exitMs.toFixed(0)} ms`,
      );
    }
    return { how: how(seconds, connections), figures: figuresOf(rounds), notes: notesOf(rounds) };
  } finally {
    await stores.stop();
  }
}

async function stopUnderLoad(stores, seconds, connections) {
  const ipm = await startIpm(stores);
  const sent = [];
  const manners = [
    ...Array.from({ length: connections }, (_, i) => MANNERS[i % MANNERS.length]),
    ...Array(LEAVING_CLIENTS).fill(LEAVING),
  ];
  const clients = manners.map((manner) => new KeepAliveClient(ipm, manner, OPERATIONS, sent));
  const done = clients.map((client) => client.run());
  await sleep(seconds * 1000 + Math.random() * 200);
  const signalAt = performance.now();
  process.kill(ipm.pid, 'SIGTERM');
  const exit = await Promise.race([ipm.server.exited, sleep(EXIT_WITHIN_MS, 'no exit', { ref: false })]);
  const exitMs = performance.now() - signalAt;
  for (const client of clients) client.stop();
  await Promise.all(done);
  return { sent, signalAt, exit, exitMs };
}

/** Sent on a connection that IPM had taken and, as far as the client could know, not ended; not answered with 2xx. */
function lost({ sent }) {
  return sent.filter(({ outcome, neverTaken }) => outcome !== 'answered' && !neverTaken);
}

/** Sent before SIGTERM on a new connection that was then reset; one that comes after SIGTERM is as good as refused. */
function lostInQueue({ sent, signalAt }) {
  return sent.filter(({ neverTaken, sentAt }) => neverTaken && sentAt <= signalAt);
}

function inFlight({ sent, signalAt }) {
  return sent.filter(({ sentAt, endedAt }) => sentAt <= signalAt && endedAt > signalAt);
}

function sentAfter({ sent, signalAt }) {
  return sent.filter(({ sentAt }) => sentAt > signalAt);
}

function figuresOf(rounds) {
  const count = (requestsOf) => rounds.map((round) => requestsOf(round).length);
  const exitTimes = rounds.map(({ exitMs }) => exitMs);
  const badExits = rounds.map(({ exit }) => Number(exit !== 'exit code 0'));
  const sent = count((round) => round.sent);
  return [
    never('lost: sent and not answered with 2xx', 'requests', count(lost)),
    never('lost in the queue of the port, sent before SIGTERM', 'requests', count(lostInQueue)),
    figure('sent', 'requests', sent),
    figure('in flight at SIGTERM', 'requests', count(inFlight)),
    figure('sent after SIGTERM', 'requests', count(sentAfter)),
    figure('SIGTERM to exit', 'ms', exitTimes),
    never('exit code other than 0', 'rounds', badExits),
  ];
}

function notesOf(rounds) {
  const rows = [...new Set(MANNERS)].map(({ name }) => {
    const of = (requestsOf) => rounds.flatMap(requestsOf).filter(({ manner }) => manner === name);
    const bad = of(lost);
    const late = of((round) => lost({ sent: sentAfter(round) }));
    return [
      name,
      ...[of(({ sent }) => sent), bad.length - late.length, late, of(lostInQueue)].map((x) => String(x.length ?? x)),
      outcomesOf(bad),
    ];
  });
  return [
    '',
    ...aligned([['connections', 'sent', 'lost, sent before', 'lost, sent after', 'in the queue', ''], ...rows]),
  ];
}

function outcomesOf(requests) {
  const counts = new Map();
  for (const { outcome, operation } of requests)
    counts.set(`${operation}: ${outcome}`, (counts.get(`${operation}: ${outcome}`) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${count} x ${what}`).join(', ');
}

function how(seconds, connections) {
  return [
    `${connections} raw connections, each one request after the other, over ${[noTable, pageRead, write].map(([operation]) => operation).join(', ')}; SIGTERM after ${seconds} s`,
    'a client goes on after SIGTERM until it cannot connect, and sends nothing on a connection that was ended or answered "connection: close"',
    `${LEAVING_CLIENTS} clients more go away as soon as they have sent a request; those requests are not counted`,
    'in the queue of the port: on a new connection, reset before any answer, so never taken by the process',
  ];
}
