// Names as a hostile server of names would answer them: `flip` leads to us once and to a forbidden address from then on, `mixed` to a
// public address and to one of ours at once.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const { lookup } = dns;
let asked = 0;

const HOSTILE = {
  'flip.hostile.test': () => [{ address: (asked += 1) === 1 ? '127.0.0.1' : '127.1.0.1', family: 4 }],
  'mixed.hostile.test': () => [
    { address: '93.184.216.34', family: 4 },
    { address: '::1', family: 6 },
  ],
};

dns.lookup = (hostname, options, done) => {
  const answer = HOSTILE[hostname];
  if (answer) process.nextTick(done, null, answer());
  else lookup(hostname, options, done);
};
syncBuiltinESMExports();
