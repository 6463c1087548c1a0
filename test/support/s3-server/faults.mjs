// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Error } from './s3-error.mjs';

/**
 * @typedef {object} FaultState
 * @property {number} delayMs before each request is looked at, until changed
 * @property {number} refuseNext requests that are refused before their signature is looked at
 * @property {'InternalError' | 'SlowDown' | 'InsufficientStorage'} refuseWith
 * @property {number} loseAnswers requests whose work is done and whose connection then ends without an answer
 * @property {boolean} keepCutBodies what came of a body whose connection broke is taken for the whole, as versitygw does
 * @property {number} breakGets connections of so many GETs end after half of their body
 * @property {'close' | 'stall' | null} breakNextGet after half of its body: the connection ends, or nothing more comes
 * @property {number} disturbed how often any of it has happened since it was set
 */

/** @type {Readonly<FaultState>} */
const NO_FAULTS = {
  delayMs: 0,
  refuseNext: 0,
  refuseWith: 'SlowDown',
  loseAnswers: 0,
  keepCutBodies: false,
  breakGets: 0,
  breakNextGet: null,
  disturbed: 0,
};

export const FAULTS_PATH = '/__faults';

/** What goes wrong next; tests set it in band with a token, and read back how much of it has happened. */
export class Faults {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
    /** @type {FaultState} */
    this.state = { ...NO_FAULTS };
  }

  /** @param {import('node:http').IncomingMessage} http */
  async control(http) {
    if (http.headers['x-faults-token'] !== this.token) throw new S3Error('AccessDenied');
    const chunks = [];
    for await (const chunk of http) chunks.push(chunk);
    if (http.method === 'POST') this.state = { ...NO_FAULTS, ...JSON.parse(Buffer.concat(chunks).toString('utf8')) };
    return JSON.stringify(this.state);
  }

  async beforeRequest() {
    if (this.state.delayMs > 0) {
      this.state.disturbed += 1;
      await sleep(this.state.delayMs);
    }
    if (this.state.refuseNext === 0) return;
    this.state.refuseNext -= 1;
    this.state.disturbed += 1;
    throw new S3Error(this.state.refuseWith);
  }

  takeLossOfAnswer() {
    const isLost = this.state.loseAnswers > 0;
    if (isLost) {
      this.state.loseAnswers -= 1;
      this.state.disturbed += 1;
    }
    return isLost;
  }

  takeBreakOfGet() {
    const kind = this.state.breakNextGet;
    this.state.breakNextGet = null;
    if (kind) this.state.disturbed += 1;
    if (kind || this.state.breakGets === 0) return kind;
    this.state.breakGets -= 1;
    this.state.disturbed += 1;
    return 'close';
  }
}
