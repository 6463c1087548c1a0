import { Agent, request } from 'undici';
import type { ApiAnswer } from '../../support/api.js';

export interface Organisation {
  orgcode: string;
  key: string;
}

/** A way into the product: a TestApi in this process is one, an HttpDoor leads into another. */
export interface Door {
  /** Rejects when no whole answer comes back. */
  call(path: string, body: unknown, organisation: Organisation): Promise<ApiAnswer>;
}

const PATIENCE_MS = 30_000;

export class HttpDoor implements Door {
  private readonly agent = new Agent({ connections: 64, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });

  /** The address is asked for each call: who replaces a killed process has another one. */
  constructor(private readonly url: () => string) {}

  async call(path: string, body: unknown, { orgcode, key }: Organisation): Promise<ApiAnswer> {
    const answer = await request(`${this.url()}/ipm${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-orgcode': orgcode, 'x-api-key': key },
      body: JSON.stringify(body),
      dispatcher: this.agent,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(text) as ApiAnswer['body'] };
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

/** It may be tried again, and the answer says so. */
export function isRetryable({ status, headers, body }: ApiAnswer): boolean {
  return status === 503 && body.error?.retryable === true && headers['retry-after'] !== undefined;
}
