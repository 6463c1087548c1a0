import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { assertStorable } from './body-hygiene.js';

export const MAX_BODY_BYTES = 1024 * 1024;

/** JSON in UTF-8 is the only body. No body at all is `{}`: the contract's lists may be asked without one. */
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
        done(null, storableObject(parsed));
      } catch (refusal) {
        done(refusal as Error, undefined);
      }
    });
  });
  fastify.addHook('onRequest', (request, _reply, done) => done(refusedMedia(request)));
}

function storableObject(parsed: unknown): object {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new AppError(platformErrors.bodyMalformed);
  assertStorable(parsed);
  return parsed;
}

/** Fastify itself would take `application/json; charset=latin1` and ignore a content encoding. */
function refusedMedia({ headers }: FastifyRequest): AppError | undefined {
  const encoding = headers['content-encoding'];
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1];
  const readable = (!encoding || encoding === 'identity') && (!charset || /^utf-?8$/i.test(charset));
  return readable ? undefined : new AppError(platformErrors.mediaTypeUnsupported);
}
