import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { assertStorable } from './body-hygiene.js';
import type { PublicRouteConfig } from './public-route.js';
import { NDJSON, takesLines, type OperationConfig, type OperationOptions } from './operation.js';

export const MAX_BODY_BYTES = 1024 * 1024;

/** An item of a batch that is no JSON: a line of NDJSON. */
export class UnreadableItem {}

/** JSON in UTF-8 is the body, or lines of it where a batch is asked for. No body at all is `{}`: the contract's lists may be asked without one. */
export function installBodyParser(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    if (bytes.length === 0) return done(null, {});
    if (!isUtf8(bytes)) return done(new AppError(platformErrors.bodyMalformed), undefined);
    void parseJson(request, bytes.toString('utf8'), (error, parsed: unknown) => {
      if (error) return done(new AppError(platformErrors.bodyMalformed, { cause: error }), undefined);
      try {
        done(null, storableObject(parsed, operationOf(request)?.batchOf));
      } catch (refusal) {
        done(refusal as Error, undefined);
      }
    });
  });
  fastify.addContentTypeParser(NDJSON, { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    if (!isUtf8(bytes)) return done(new AppError(platformErrors.bodyMalformed), undefined);
    done(null, { [operationOf(request)?.batchOf ?? '']: linesOf(bytes.toString('utf8')).map(itemOf) });
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { publicRoute } = request.routeOptions.config as Partial<PublicRouteConfig>;
    done(publicRoute ? undefined : refusedMedia(request));
  });
  fastify.addHook('onRoute', (route) => {
    const { operation } = (route.config ?? {}) as Partial<OperationConfig>;
    if (operation?.maxBodyBytes !== undefined) route.bodyLimit = operation.maxBodyBytes;
  });
}

/** The items of a batch are judged one by one, later: one that cannot be stored must not sink the others. */
function storableObject(parsed: unknown, batchOf: string | undefined): object {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new AppError(platformErrors.bodyMalformed);
  if (batchOf === undefined) assertStorable(parsed);
  else assertStorable({ ...parsed, [batchOf]: null });
  return parsed;
}

function linesOf(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** What is not UTF-8 would come back as something else than was sent. */
export function itemInLine(line: Buffer): unknown {
  return isUtf8(line) ? itemOf(line.toString('utf8')) : new UnreadableItem();
}

function itemOf(line: string): unknown {
  if (line.includes('"__proto__"')) return new UnreadableItem(); // as the parser of JSON bodies holds it
  try {
    return JSON.parse(line);
  } catch {
    return new UnreadableItem();
  }
}

function operationOf({ routeOptions }: FastifyRequest): OperationOptions | undefined {
  return (routeOptions.config as Partial<OperationConfig>).operation;
}

/** Fastify itself would take `application/json; charset=latin1` and ignore a content encoding. */
function refusedMedia(request: FastifyRequest): AppError | undefined {
  const { headers } = request;
  const encoding = headers['content-encoding'];
  const type = headers['content-type'] ?? '';
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1];
  const isLines = type.toLowerCase().startsWith(NDJSON);
  const readable = (!encoding || encoding === 'identity') && (!charset || /^utf-?8$/i.test(charset));
  return readable && (!isLines || takesLines(operationOf(request)))
    ? undefined
    : new AppError(platformErrors.mediaTypeUnsupported);
}
