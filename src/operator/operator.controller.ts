import { Body, Controller, Param, Query } from '@nestjs/common';
import type { OperatorCaller } from '../platform/http/caller.js';
import { OperatorRoute } from '../platform/http/operator-route.js';
import { CurrentOperator } from '../platform/http/request-scope.js';
import { DeadLetterActs } from './dead-letter-acts.service.js';
import { DeadLetterReading, letterKey } from './dead-letter-reading.service.js';
import {
  DeadLetterActRequest,
  DeadLetterDetailAnswer,
  DeadLetterHistoryAnswer,
  DeadLetterParams,
  DeadLettersAnswer,
  DeadLettersQuery,
  ReplayedAnswer,
  ReplayStatusAnswer,
  StatusSummaryAnswer,
  SummaryQuery,
  WritebackJobAnswer,
} from './dead-letter.dto.js';
import { okAnswer } from './ok-answer.js';
import { writebackRoom as room } from './writeback-room.js';

/** Document 002, route by route. */
@Controller(room.path)
export class OperatorController {
  constructor(
    private readonly reading: DeadLetterReading,
    private readonly acts: DeadLetterActs,
  ) {}

  @OperatorRoute('status/summary', { room, summary: 'How many failed, and why', answer: StatusSummaryAnswer })
  async summary(@Query() query: SummaryQuery): Promise<StatusSummaryAnswer> {
    return okAnswer(await this.reading.summary(query));
  }

  @OperatorRoute('dead-letters', { room, summary: 'Failed deliveries, newest first', answer: DeadLettersAnswer })
  async list(@Query() query: DeadLettersQuery): Promise<DeadLettersAnswer> {
    const { data, nextCursor } = await this.reading.list(query);
    return { ...okAnswer(data), ...(nextCursor !== undefined && { nextCursor }) };
  }

  @OperatorRoute('dead-letters/:id', { room, summary: 'One, with its attempts', answer: DeadLetterDetailAnswer })
  async detail(@Param() { id }: DeadLetterParams): Promise<DeadLetterDetailAnswer> {
    return okAnswer(await this.reading.detail(id));
  }

  @OperatorRoute('dead-letters/:id/history', {
    room,
    summary: 'All that happened to it',
    answer: DeadLetterHistoryAnswer,
  })
  async history(@Param() { id }: DeadLetterParams): Promise<DeadLetterHistoryAnswer> {
    return okAnswer(await this.reading.history(id));
  }

  @OperatorRoute('dead-letters/:id/replay-status', {
    room,
    summary: 'What became of its replay',
    answer: ReplayStatusAnswer,
  })
  async replayStatus(@Param() { id }: DeadLetterParams): Promise<ReplayStatusAnswer> {
    return okAnswer(await this.reading.replayStatus(id));
  }

  @OperatorRoute('dead-letters/:id/replay', {
    room,
    method: 'POST',
    summary: 'Send it once more',
    answer: ReplayedAnswer,
  })
  async replay(
    @CurrentOperator() operator: OperatorCaller,
    @Param() { id }: DeadLetterParams,
    @Body() { reason }: DeadLetterActRequest,
  ): Promise<ReplayedAnswer> {
    return okAnswer(await this.acts.replay(operator, letterKey(id), { reason }));
  }

  @OperatorRoute('dead-letters/:id/acknowledge', {
    room,
    method: 'POST',
    summary: 'Note that it was seen, and leave it',
    answer: WritebackJobAnswer,
  })
  async acknowledge(
    @CurrentOperator() operator: OperatorCaller,
    @Param() { id }: DeadLetterParams,
    @Body() { reason }: DeadLetterActRequest,
  ): Promise<WritebackJobAnswer> {
    return okAnswer(await this.acts.acknowledge(operator, letterKey(id), { reason }));
  }
}
