import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AddressRules } from './address-rules.js';
import { OutgoingCalls, type OutgoingOutcome } from './outgoing-calls.js';

/** In a thread of its own, for who calls it stands still: says that a call is there, and answers it after `answersMs`. */
const ENDPOINT = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:http').createServer((request, response) => {
    parentPort.postMessage('called');
    setTimeout(() => response.end('taken'), workerData.answersMs);
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

const TIMEOUT_MS = 300;

describe('calls whose time is over', () => {
  let endpoint: Worker;
  let calls: OutgoingCalls;

  /** What a call comes to where this process stands still for so long while it is on its way. */
  const outcomeAfterStanding = async (forMs: number, answersMs: number, isSent = true): Promise<OutgoingOutcome> => {
    endpoint = new Worker(ENDPOINT, { eval: true, workerData: { answersMs } });
    const [port] = (await once(endpoint, 'message')) as [number];
    const url = new URL(`http://127.0.0.1:${port}/`);
    const called = once(endpoint, 'message');
    const outcome = calls.post({ url, headers: {}, body: '{}', timeoutMs: TIMEOUT_MS });
    if (isSent) await called;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
    return outcome;
  };

  beforeEach(
    () => (calls = new OutgoingCalls({ addresses: new AddressRules(['127.0.0.0/8']), allowHttp: true }, undefined)),
  );
  afterEach(async () => {
    await calls.destroy();
    await endpoint.terminate();
  });

  it('take an answer that came in time to a process that stood still', async () => {
    expect(await outcomeAfterStanding(3 * TIMEOUT_MS, TIMEOUT_MS / 3)).toMatchObject({
      status: 200,
      errorTag: undefined,
    });
  });

  it('are still sent by a process that stood still before it had sent them', async () => {
    expect(await outcomeAfterStanding(3 * TIMEOUT_MS, TIMEOUT_MS / 3, false)).toMatchObject({
      status: 200,
      errorTag: undefined,
    });
  });

  it.each([0, 2 * TIMEOUT_MS])('end without one that has not come, to who stands still for %d ms', async (forMs) => {
    expect(await outcomeAfterStanding(forMs, 60_000)).toMatchObject({ status: undefined, errorTag: 'timeout' });
  });
});
