import type { TestApi } from './api.js';
import { assertOperationsAnswer } from './operations-contract.js';

export const OPERATOR_KEY = 'the operators of the specs have this key';
export const WITH_OPERATOR = { API_KEY: OPERATOR_KEY };
export const RUNS = '/api/admin/operations';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each spec knows what it asked for, and its document has checked it
type Body = any;

export interface RunsAnswer {
  status: number;
  headers: Record<string, unknown>;
  body: Body;
}

export interface AskedAs {
  headers?: Record<string, string>;
  remoteAddress?: string;
}

export const asOperator: AskedAs = { headers: { 'x-api-key': OPERATOR_KEY } };

/** Asks room `operations`; every answer is checked against its document. */
export async function askRuns(
  api: TestApi,
  path: string,
  { headers = {}, remoteAddress }: AskedAs = {},
): Promise<RunsAnswer> {
  const url = `${RUNS}${path}`;
  const answer = await api.app.inject({ method: 'GET', url, headers, ...(remoteAddress ? { remoteAddress } : {}) });
  const body: Body = answer.json();
  assertOperationsAnswer(url, answer.statusCode, body);
  return { status: answer.statusCode, headers: answer.headers, body };
}

export interface RunToBe {
  orgcode?: string | undefined;
  type?: string;
  status?: 'queued' | 'running' | 'completed';
  outcome?: string;
  /** Since its last heartbeat, or since it was queued. */
  silentSeconds?: number;
  reconciled?: boolean;
  subject?: string;
}

let subjects = 0;

/** As some worker has left it. */
export async function aRun(api: TestApi, run: RunToBe = {}): Promise<number> {
  const { orgcode, type = 'webhook_replay', status = 'completed', silentSeconds = 0, reconciled = false } = run;
  const outcome = run.outcome ?? (status === 'completed' ? 'succeeded' : 'pending');
  const [row] = await api.database.asOwner<{ id: number }>(
    `insert into operation_run (orgcode, type, status, outcome, subject, initiator, created_at, started_at, heartbeat_at, completed_at,
       reconciled_at, reconciliation_source, reason_code, reason_message, evidence)
     select $1, $2, $3, $4, $5, 'spec', at, case when $3 <> 'queued' then at end, case when $3 <> 'queued' then at end,
       case when $3 = 'completed' then at end, case when $7 then at end, case when $7 then 'scheduled_reconciler' end,
       case when $7 then 'worker_lost' end, case when $7 then 'Lost.' end, case when $7 then '{"takeovers": 1}'::jsonb end
     from (select clock_timestamp() - make_interval(secs => $6) as at) t returning id`,
    [orgcode ?? null, type, status, outcome, run.subject ?? `spec/${(subjects += 1)}`, silentSeconds, reconciled],
  );
  return row!.id;
}
