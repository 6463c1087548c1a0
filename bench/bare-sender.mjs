// The bare HTTP client that deliveries are measured against: posts and signs given messages for a time, with undici as the product
// sets it up, and nothing else. Options on stdin, what came of it on stdout.
import { createHmac, randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { Agent } from 'undici';

const IN_FLIGHT = 256;
const key = randomBytes(32);
const agent = new Agent({
  connections: 64,
  pipelining: 1,
  keepAliveTimeout: 20_000,
  keepAliveMaxTimeout: 20_000,
  maxHeaderSize: 16 * 1024,
  headersTimeout: 0,
  bodyTimeout: 0,
});

class Answer {
  constructor(ended) {
    this.ended = ended;
  }

  onRequestStart() {}

  onResponseStart(_controller, status) {
    this.status = status;
  }

  onResponseData() {}

  onResponseEnd() {
    this.ended(this.status === 200 ? undefined : new Error(`answered ${this.status}`));
  }

  onResponseError(_controller, error) {
    this.ended(error);
  }
}

function run({ port, from, webhooks, messages, seconds }) {
  const origin = `http://127.0.0.1:${port}`;
  const untilMs = performance.now() + seconds * 1000;
  let [sent, inFlight] = [0, 0];
  return new Promise((resolve, reject) => {
    const send = () => {
      const message = messages[sent % messages.length];
      const path = `/w/${from + (sent % webhooks)}`;
      sent += 1;
      inFlight += 1;
      const { body } = message;
      agent.dispatch({ origin, path, method: 'POST', headers: signed(message), body }, new Answer(ended));
    };
    const ended = (error) => {
      inFlight -= 1;
      if (error) reject(error);
      else if (performance.now() < untilMs) send();
      else if (inFlight === 0) resolve({ calls: sent });
    };
    for (let i = 0; i < IN_FLIGHT; i += 1) send();
  });
}

function signed({ headers, body }) {
  const id = headers['webhook-id'];
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { ...headers, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

const outcome = await run(JSON.parse(await text(process.stdin)));
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ ...outcome, cpuSeconds: (user + system) / 1e6 }));
process.exit();
