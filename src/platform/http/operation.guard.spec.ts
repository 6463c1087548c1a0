import type { ExecutionContext } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import type { OperatorCaller } from './caller.js';
import { OperationGuard } from './operation.guard.js';

const owner = { roles: ['owner'], orgcode: 'acme' };
const operator = { roles: ['owner'], orgcode: undefined } as unknown as OperatorCaller;
const room = { path: '/api/spec' };

/** What the guard says of a request whatever hooks have run before: the tag of its refusal, or true. */
function verdict(config: object, request: object): unknown {
  const context = { switchToHttp: () => ({ getRequest: () => ({ routeOptions: { config }, ...request }) }) };
  try {
    return new OperationGuard().canActivate(context as unknown as ExecutionContext);
  } catch (error) {
    return error instanceof AppError ? error.failure.tag : error;
  }
}

describe('the guard', () => {
  const operation = { role: 'owner' };
  it.each<[what: string, config: object, request: object, expected: unknown]>([
    ['a route that declares nothing, to anybody', {}, { caller: owner, operator }, 'credential_invalid'],
    ['an operation, to nobody', { operation }, {}, 'credential_invalid'],
    ['an operation, to an operator', { operation }, { operator }, 'credential_invalid'],
    ['an operation, to a caller without the role', { operation }, { caller: { roles: ['auditor'] } }, 'role_required'],
    ['an operation, to its caller', { operation }, { caller: owner }, true],
    ['an operation for anyone', { operation: { role: 'anyone' } }, {}, true],
    ['a public route', { publicRoute: true }, {}, true],
    ["an operators' route, to nobody", { operatorRoute: { room } }, {}, 'credential_invalid'],
    ["an operators' route, to a caller of /ipm", { operatorRoute: { room } }, { caller: owner }, 'credential_invalid'],
    ["an operators' route, to who came in by its door", { operatorRoute: { room } }, { operator }, true],
  ])('%s', (_what, config, request, expected) => {
    expect(verdict(config, request)).toBe(expected);
  });
});
