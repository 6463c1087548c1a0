// What Nest on Fastify costs by itself: one POST route, body parsed, the answer in BARE_ANSWER as an object; no guard, pipe,
// interceptor, filter or hook of ours. Plain JavaScript, so the decorators are called by hand.
import 'reflect-metadata';
import { Body, Controller, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const answer = JSON.parse(process.env.BARE_ANSWER);

class BareController {
  get(_body) {
    return answer;
  }
}
const handler = Object.getOwnPropertyDescriptor(BareController.prototype, 'get');
Reflect.defineMetadata('design:paramtypes', [Object], BareController.prototype, 'get');
Body()(BareController.prototype, 'get', 0);
HttpCode(200)(BareController.prototype, 'get', handler);
Post('pagination/get')(BareController.prototype, 'get', handler);
Controller('ipm')(BareController);

class BareModule {}
Module({ controllers: [BareController] })(BareModule);

const app = await NestFactory.create(BareModule, new FastifyAdapter(), { logger: false });
await app.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
