import { ApiProperty } from '@nestjs/swagger';
import { FlagInAddress, IntegerInAddress, OneOf, Text } from '../platform/http/fields.js';
import type { OperationOutcome, ReconciliationSource } from './operation-run.repository.js';
import type { OperationRunStatus } from './operation-run-lifecycle.js';

const RUN_STATUSES: readonly OperationRunStatus[] = ['queued', 'running', 'completed'];
const RUN_OUTCOMES = ['pending', 'succeeded', 'partially_succeeded', 'blocked', 'failed'] as const;
const FRESHNESS_STATES = ['fresh_active', 'likely_stale', 'reconciled_failed', 'terminal_normal'] as const;
export type FreshnessState = (typeof FRESHNESS_STATES)[number];

const ours = { optional: true, extension: true } as const;
const optional = { required: false } as const;
const time = { type: 'string', format: 'date-time' } as const;

/** As it stands in the address. */
export class OperationRunFilters {
  @OneOf(RUN_STATUSES, { optional: true }) status?: OperationRunStatus;
  @OneOf(RUN_OUTCOMES, { optional: true }) outcome?: OperationOutcome | 'pending';
  @Text({ max: 64, optional: true }) type?: string;
  @IntegerInAddress({ optional: true }) tenant_id?: string;
  @OneOf(FRESHNESS_STATES, { optional: true }) freshness_state?: FreshnessState;
  @FlagInAddress({ optional: true }) reconciled?: 'true' | 'false';
  @IntegerInAddress({ ...ours, description: 'Runs on a page: 1 to 256, 8 if it is not said.' }) limit?: string;
  @Text({ ...ours, max: 512, description: 'meta.next_cursor of the page before, with the same filters.' })
  cursor?: string;
}

/** What is not there is left out: a run of the whole installation has no tenant_id, one that has not started no started_at. */
export class OperationRunListItem {
  @ApiProperty({ type: 'integer' }) id!: number;
  @ApiProperty() type!: string;
  @ApiProperty(optional) type_label?: string;
  @ApiProperty({ enum: RUN_STATUSES }) status!: OperationRunStatus;
  @ApiProperty({ enum: RUN_OUTCOMES }) outcome!: OperationOutcome | 'pending';
  @ApiProperty({ enum: FRESHNESS_STATES }) freshness_state!: FreshnessState;
  @ApiProperty() reconciled!: boolean;
  @ApiProperty({ ...optional, type: 'integer' }) tenant_id?: number;
  @ApiProperty(optional) initiator_name?: string;
  @ApiProperty({ ...optional, description: 'One safe sentence.' }) operator_message?: string;
  @ApiProperty(time) created_at!: string;
  @ApiProperty({ ...optional, ...time }) started_at?: string;
  @ApiProperty({ ...optional, ...time }) completed_at?: string;
}

class FailureSummaryItem {
  @ApiProperty() code!: string;
  @ApiProperty() message!: string;
}

export class ReconciliationRecord {
  @ApiProperty({ ...optional, ...time }) reconciled_at?: string;
  @ApiProperty({ ...optional, enum: ['failed_callback', 'scheduled_reconciler', 'adapter_reconciler'] })
  source?: ReconciliationSource;
  @ApiProperty(optional) reason_code?: string;
  @ApiProperty(optional) reason_message?: string;
  @ApiProperty({ selfRequired: false, type: 'object', additionalProperties: true }) evidence?: object;
}

class OperationDiagnostics {
  @ApiProperty({ ...optional, type: 'integer' }) threshold_seconds?: number;
  @ApiProperty({ selfRequired: false, type: 'object', additionalProperties: true }) evidence?: object;
}

export class OperationRunDetail extends OperationRunListItem {
  @ApiProperty({ selfRequired: false, type: 'object', additionalProperties: { type: 'number' } })
  summary_counts?: Readonly<Record<string, number>>;
  @ApiProperty({ ...optional, type: [FailureSummaryItem] }) failure_summary?: FailureSummaryItem[];
  @ApiProperty(optional) reconciliation?: ReconciliationRecord;
  @ApiProperty(optional) diagnostics?: OperationDiagnostics;
}

class PageLinks {
  @ApiProperty() self!: string;
  @ApiProperty() first!: string;
  @ApiProperty(optional) next?: string;
}

class OperationRunPageMeta {
  @ApiProperty({ type: 'integer' }) limit!: number;
  @ApiProperty({
    type: 'integer',
    description: 'Runs on this page. It may be fewer than the limit, or none, and more follow.',
  })
  count!: number;
  @ApiProperty() has_more!: boolean;
  @ApiProperty(optional) next_cursor?: string;
  @ApiProperty() links!: PageLinks;
}

export class OperationRunPage {
  @ApiProperty({ type: [OperationRunListItem] }) data!: OperationRunListItem[];
  @ApiProperty({ 'x-ipm-extension': true } as never) meta!: OperationRunPageMeta;
}
