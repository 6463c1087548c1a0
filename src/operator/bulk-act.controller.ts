import { Body, Controller, Param } from '@nestjs/common';
import { OperatorRoute } from '../platform/http/operator-route.js';
import { BulkActOrders } from './bulk-act-orders.service.js';
import { BulkActAnswer, BulkActParams, BulkActRequest, BulkCountAnswer, BulkCountRequest } from './bulk-act.dto.js';
import { okAnswer } from './ok-answer.js';
import { writebackRoom as room } from './writeback-room.js';

/** Beyond document 002: the same acts on all that a filter matches. */
@Controller(`${room.path}/bulk-acts`)
export class BulkActController {
  constructor(private readonly orders: BulkActOrders) {}

  @OperatorRoute('count', { room, method: 'POST', summary: 'How many a bulk act would mean', answer: BulkCountAnswer })
  async count(@Body() request: BulkCountRequest): Promise<BulkCountAnswer> {
    return okAnswer(await this.orders.count(request));
  }

  @OperatorRoute('', { room, method: 'POST', summary: 'Replay or acknowledge by filter', answer: BulkActAnswer })
  async order(@Body() request: BulkActRequest): Promise<BulkActAnswer> {
    return okAnswer(await this.orders.order(request));
  }

  @OperatorRoute(':id', { room, summary: 'How far a bulk act is', answer: BulkActAnswer })
  async get(@Param() { id }: BulkActParams): Promise<BulkActAnswer> {
    return okAnswer(await this.orders.get(id));
  }

  @OperatorRoute(':id/cancel', { room, method: 'POST', summary: 'End a bulk act early', answer: BulkActAnswer })
  async cancel(@Param() { id }: BulkActParams): Promise<BulkActAnswer> {
    return okAnswer(await this.orders.cancel(id));
  }
}
