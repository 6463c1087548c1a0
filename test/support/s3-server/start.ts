import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { request } from 'undici';

interface FaultState {
  /** Before each request is looked at, until changed. */
  delayMs: number;
  /** So many requests are refused before their signature is looked at. */
  refuseNext: number;
  refuseWith: 'InternalError' | 'SlowDown' | 'InsufficientStorage';
  /** So many requests do their work, and their connection ends without an answer. */
  loseAnswers: number;
  /** What came of a body whose connection broke is taken for the whole, as versitygw does, unless its hash was signed. */
  keepCutBodies: boolean;
  /** Connections of so many GETs end after half of their body. */
  breakGets: number;
  /** After half of the body: the connection ends, or nothing more comes. */
  breakNextGet: 'close' | 'stall' | null;
  /** How often any of it has happened since it was set. */
  disturbed: number;
}

interface Faults {
  /** Replaces all faults at once; what is not named is off. */
  set(faults: Partial<FaultState>): Promise<void>;
  /** What is left of them. */
  read(): Promise<FaultState>;
}

export interface S3Server {
  endpoint: string;
  publicEndpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  faults: Faults;
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 2_000;

/** Our S3 server as a process of its own, on a free loopback port, with an account and a bucket made for it. */
export async function startS3Server(): Promise<S3Server> {
  const account = {
    region: 'us-east-1',
    bucket: 'ipm-test',
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64'),
  };
  const faultsToken = randomBytes(16).toString('hex');
  const script = path.join(import.meta.dirname, 'server.mjs');
  const child = spawn(process.execPath, [script, JSON.stringify({ ...account, faultsToken })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const endpoint = `http://127.0.0.1:${await portOf(child)}`;
  return {
    ...account,
    endpoint,
    publicEndpoint: endpoint,
    faults: faultsAt(endpoint, faultsToken),
    stop: () => stop(child),
  };
}

async function portOf(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('the S3 server has no output');
  for await (const line of createInterface(child.stdout)) return (JSON.parse(line) as { port: number }).port;
  throw new Error(`the S3 server ended before it was ready, exit code ${child.exitCode}`);
}

function faultsAt(endpoint: string, token: string): Faults {
  const call = async (method: 'GET' | 'POST', body?: string): Promise<FaultState> => {
    const answer = await request(`${endpoint}/__faults`, { method, body, headers: { 'x-faults-token': token } });
    if (answer.statusCode !== 200) throw new Error(`the S3 server refused the faults: ${await answer.body.text()}`);
    return (await answer.body.json()) as FaultState;
  };
  return {
    set: async (faults) => void (await call('POST', JSON.stringify(faults))),
    read: () => call('GET'),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(killer);
}
