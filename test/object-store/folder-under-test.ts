import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { installBodyParser, MAX_BODY_BYTES } from '../../src/platform/http/body-parser.js';
import { endConnection } from '../../src/platform/http/client-errors.js';
import { answerFailure } from '../../src/platform/http/envelope.filter.js';
import { installRequestScope } from '../../src/platform/http/request-scope.js';
import { FileRoutes, type TransferLimits } from '../../src/platform/object-store/file-routes.js';
import { FolderObjectStore } from '../../src/platform/object-store/folder-object-store.js';
import type { ObjectStore } from '../../src/platform/object-store/object-store.js';
import { folderLinks } from './folder-links.js';

export interface FolderUnderTest {
  folder: string;
  store: ObjectStore;
  port: number;
  stop(): Promise<void>;
}

export interface FolderOptions {
  /** Stands before the folder in the routes, and may fail. */
  served?: (store: ObjectStore) => ObjectStore;
  limits?: TransferLimits;
  requestTimeoutMs?: number;
}

/** A folder with its routes, behind the hooks that stand before them in the product. */
export async function startFolderUnderTest(options: FolderOptions = {}): Promise<FolderUnderTest> {
  const { served = (store) => store, limits, requestTimeoutMs = 30_000 } = options;
  const folder = await mkdtemp(path.join(tmpdir(), 'ipm-objects-'));
  const port = await freePort();
  const links = folderLinks(`http://127.0.0.1:${port}`);
  const store = new FolderObjectStore({ kind: 'folder', folder: path.join(folder, 'made/at/first/use') }, links);
  const fastify: FastifyInstance = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: requestTimeoutMs,
    clientErrorHandler: endConnection,
    forceCloseConnections: true,
    http: { connectionsCheckingInterval: 50, headersTimeout: 100 }, // Node takes the longer of both times for the whole request
  });
  fastify.setErrorHandler(answerFailure);
  installRequestScope(fastify);
  installBodyParser(fastify);
  new FileRoutes(served(store), links).install(fastify, limits);
  await fastify.listen({ port, host: '127.0.0.1' });
  const stop = async (): Promise<void> => {
    await fastify.close();
    await rm(folder, { recursive: true });
  };
  return { folder: path.join(folder, 'made/at/first/use'), store, port, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
