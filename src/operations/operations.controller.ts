import { Controller, Param, Query } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import type { OperatorCaller } from '../platform/http/caller.js';
import { OperatorRoute } from '../platform/http/operator-route.js';
import { CurrentOperator } from '../platform/http/request-scope.js';
import { OperationView } from './operation-view.service.js';
import { OperationRunDetail, OperationRunFilters, OperationRunPage } from './operations.dto.js';
import { operationsRoom } from './operations-room.js';

@Controller(operationsRoom.path)
export class OperationsController {
  constructor(private readonly runs: OperationView) {}

  @OperatorRoute('', {
    room: operationsRoom,
    summary: 'List operation runs with lifecycle freshness semantics',
    answer: OperationRunPage,
  })
  list(@CurrentOperator() operator: OperatorCaller, @Query() filters: OperationRunFilters): Promise<OperationRunPage> {
    return this.runs.list(operator, filters);
  }

  @OperatorRoute(':operationRun', {
    room: operationsRoom,
    summary: 'Get one operation run with lifecycle reconciliation detail',
    answer: OperationRunDetail,
  })
  @ApiParam({ name: 'operationRun', schema: { type: 'integer' } })
  get(@CurrentOperator() operator: OperatorCaller, @Param('operationRun') id: string): Promise<OperationRunDetail> {
    return this.runs.get(operator, id);
  }
}
