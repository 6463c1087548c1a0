import { Body, Controller } from '@nestjs/common';
import type { Caller } from '../platform/http/caller.js';
import { Operation } from '../platform/http/operation.js';
import { clampLimit, Paging, type Page } from '../platform/http/paging.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import { AuditList, AuditListRequest, type AuditEventShape } from './audit.dto.js';
import { auditEventToWire } from './audit.mapper.js';
import { AuditRepository, type AuditRow } from './audit.repository.js';

@Controller('audit')
export class AuditController {
  constructor(
    private readonly events: AuditRepository,
    private readonly paging: Paging,
  ) {}

  @Operation('list', { role: 'audit', extension: true, data: AuditList, summary: 'List audit events, newest first' })
  async list(@CurrentCaller() { orgcode }: Caller, @Body() request: AuditListRequest): Promise<Page<AuditEventShape>> {
    const { event_type, actor, resource_type, resource_id, outcome } = request;
    const filters = { event_type, actor, resource_type, resource_id, outcome };
    const scope = { orgcode, list: 'audit/list', filters };
    const limit = clampLimit(request.limit);
    const [beforeSeq] = this.paging.positionAfter(request.next_token, scope) ?? [];
    const rows = await this.events.page(
      orgcode,
      filters,
      beforeSeq === undefined ? undefined : BigInt(beforeSeq),
      limit + 1,
    );
    const position = (row: AuditRow): [string] => [String(row.seq)];
    return this.paging.page(rows, limit, scope, { position, item: auditEventToWire });
  }
}
