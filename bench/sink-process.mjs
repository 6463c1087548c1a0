// A webhook sink in a process of its own: counts who is called with what, as the bench on the other end of the channel wants it.
import { ArrivalLedger } from './arrival-ledger.mjs';
import { listen } from './webhook-sink.mjs';

const ledger = new ArrivalLedger();
const QUESTIONS = {
  expect: (what) => ledger.expect(what),
  look: () => ({ count: ledger.count, atNs: process.hrtime.bigint() }),
  times: () => ({ count: ledger.count, firstAtNs: ledger.firstAtNs, lastAtNs: ledger.lastAtNs }),
  audit: () => ledger.audit(),
  captured: () => ledger.captured,
};

process.on('message', ({ number, question, about }) => process.send({ number, answer: QUESTIONS[question](about) }));
process.on('disconnect', () => process.exit());

const server = await listen((bytes, at, bodyAt, end) => {
  ledger.note(bytes, at, bodyAt, end);
  if (ledger.count === 1) process.send({ said: 'first' });
  if (ledger.count === ledger.awaited) process.send({ said: 'all' });
});
process.send({ said: 'listening', port: server.address().port });
