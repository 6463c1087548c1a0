import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { unhurriedly } from '../http/client-errors.js';
import { answerFailure } from '../http/envelope.filter.js';
import type { PublicRouteConfig } from '../http/public-route.js';
import { attachment } from './content-disposition.js';
import { FileLinks, FILES_PATH, type FileLink } from './file-links.js';
import { fileErrors } from './file.errors.js';
import { ObjectChanged } from './object-store-failures.js';
import { MAX_UPLOAD_BYTES, ObjectStore, type ObjectStat } from './object-store.js';

export interface TransferLimits {
  /** Silence on the connection. */
  readonly idleMs: number;
  /** A body that came needs this long at most to be safe on the disk. */
  readonly settleMs: number;
  /** A whole upload takes no longer than its length at this rate, and idleMs. */
  readonly slowestBytesPerMs: number;
}

const LIMITS: TransferLimits = { idleMs: 60_000, settleMs: 300_000, slowestBytesPerMs: 64 };

/**
 * What a folder's URLs lead to: the signature in them is the credential, and is proved before a byte of the body is read. These
 * are routes of Fastify's own and no controller's, because their bodies are streams, which the parsers of all others would collect.
 */
@Injectable()
export class FileRoutes {
  constructor(
    private readonly store: ObjectStore,
    private readonly links: FileLinks,
  ) {}

  install(fastify: FastifyInstance, limits = LIMITS): void {
    const config: PublicRouteConfig = { publicRoute: true };
    void fastify.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, _body, parsed) => parsed(null));
      scope.setErrorHandler(answerFailure);
      scope.put(FILES_PATH, { config }, (request, reply) => this.upload(request, reply, limits));
      scope.get(FILES_PATH, { config }, (request, reply) => this.download(request, reply, limits));
      done();
    });
  }

  private async upload(request: FastifyRequest, reply: FastifyReply, limits: TransferLimits): Promise<FastifyReply> {
    const { key, contentType } = this.linkOf(request, 'PUT');
    if (request.headers['content-type'] !== contentType)
      throw new AppError(fileErrors.contentTypeDiffers, { details: { content_type: contentType } });
    const lengthBytes = lengthOf(request);
    const body = bodyOf(request.raw, lengthBytes, limits);
    try {
      await unhurriedly(request.raw, this.store.put(key, body, { lengthBytes, contentType }));
    } catch (error) {
      if (request.raw.errored) throw new AppError(fileErrors.uploadBroken, { cause: error });
      request.raw.resume(); // who is still sending reads no answer
      throw error;
    }
    return reply.send();
  }

  private async download(request: FastifyRequest, reply: FastifyReply, limits: TransferLimits): Promise<FastifyReply> {
    const { key, contentType, contentEncoding, fileName = '' } = this.linkOf(request, 'GET');
    const stat = await this.store.stat(key);
    const fromByte = stat ? firstByte(request, stat) : 0;
    const body = stat && (await this.store.get(key, { fromByte, version: stat.version }).catch(nullIfChanged));
    if (!body) throw new AppError(fileErrors.absent);
    request.raw.setTimeout(limits.idleMs);
    void reply.headers({
      'accept-ranges': 'bytes',
      'content-disposition': attachment(fileName),
      'content-length': stat.sizeBytes - fromByte,
      'content-type': contentType,
      etag: etagOf(stat),
      ...(contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding }),
    });
    if (fromByte > 0)
      void reply.status(206).header('content-range', `bytes ${fromByte}-${stat.sizeBytes - 1}/${stat.sizeBytes}`);
    return reply.send(body);
  }

  private linkOf({ query }: FastifyRequest, method: FileLink['method']): FileLink {
    const link = this.links.read((query as { link?: unknown }).link, method);
    if (!link) throw new AppError(fileErrors.linkInvalid);
    return link;
  }
}

function lengthOf({ headers }: FastifyRequest): number {
  const given = headers['content-length'];
  if (given === undefined) throw new AppError(fileErrors.lengthRequired);
  if (Number(given) > MAX_UPLOAD_BYTES)
    throw new AppError(platformErrors.bodyTooLarge, { details: { max_bytes: MAX_UPLOAD_BYTES } });
  return Number(given);
}

/** The body as it comes. It ends early with the connection; the connection does not end with it, or nobody could be told why. */
function bodyOf(request: IncomingMessage, lengthBytes: number, limits: TransferLimits): Readable {
  const { idleMs, settleMs, slowestBytesPerMs } = limits;
  const longestMs = idleMs + lengthBytes / slowestBytesPerMs;
  const tooSlow = setTimeout(() => request.destroy(new Error('the upload took too long')), longestMs).unref();
  request.setTimeout(idleMs);
  request.once('end', () => {
    clearTimeout(tooSlow);
    request.setTimeout(settleMs);
  });
  request.once('close', () => clearTimeout(tooSlow));
  return Readable.from(request.iterator({ destroyOnReturn: false }), { objectMode: false });
}

/** Between looking and opening; what is handed out for download is not written again. */
function nullIfChanged(error: unknown): null {
  if (error instanceof ObjectChanged) return null;
  throw error;
}

/** Whoever goes on after a broken download says from where, and of which version; any other range is answered whole. */
function firstByte({ headers }: FastifyRequest, stat: ObjectStat): number {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etagOf(stat);
  return isSame && from < stat.sizeBytes ? from : 0;
}

function etagOf({ version }: ObjectStat): string {
  return `"${version}"`;
}
