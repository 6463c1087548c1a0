import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiKeyService } from '../../src/access/api-key.service.js';
import { BootstrapService, operatorCaller } from '../../src/access/bootstrap.service.js';
import { readConfiguration } from '../../src/platform/config/configuration.js';
import type { ErrorEnvelope, Stats } from '../../src/platform/http/envelope.dto.js';
import type { Role } from '../../src/platform/http/roles.js';
import { log } from '../../src/platform/telemetry/logger.js';
import { createApp } from '../../src/roles/create-app.js';
import { assertContractAnswer } from './contract.js';
import { testDatabase, type TestDatabase } from './database.js';
import { productEnvironment } from './environment.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape of data differs by route; the contract's schema has checked it
type Data = any;

export interface ApiAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: { success: boolean; data?: Data; error?: ErrorEnvelope; stats?: Stats; revision?: string };
}

export interface CallOptions {
  orgcode?: string | undefined;
  /** An API key for x-api-key. */
  key?: string | undefined;
  headers?: Record<string, string | string[]>;
  method?: 'GET' | 'POST';
}

/** An application in this process on a database of its own. Every answer is checked against the contract. */
export class TestApi {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly database: TestDatabase,
  ) {}

  static async start(environment: Record<string, string | undefined> = {}): Promise<TestApi> {
    const database = await testDatabase();
    return TestApi.startOn(database, environment);
  }

  /** A second process, as it were, on the same database. */
  static async startOn(database: TestDatabase, environment: Record<string, string | undefined> = {}): Promise<TestApi> {
    log.level = process.env.TEST_LOG_LEVEL ?? 'silent';
    const app = await createApp(readConfiguration(productEnvironment(database.url, environment)));
    await app.getHttpAdapter().getInstance().ready();
    return new TestApi(app, database);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.database.drop();
  }

  /** A route below /ipm, with a JSON body. */
  async call(path: string, body: unknown, options: CallOptions = {}): Promise<ApiAnswer> {
    const payload = JSON.stringify(body);
    return this.send(
      path,
      { ...options, headers: { 'content-type': 'application/json', ...options.headers } },
      payload,
    );
  }

  /** The same with the bytes as given, or without a body. */
  async send(
    path: string,
    { orgcode, key, headers = {}, method = 'POST' }: CallOptions,
    payload?: string | Buffer,
  ): Promise<ApiAnswer> {
    const answer = await this.app.inject({
      method,
      url: `/ipm${path}`,
      headers: {
        ...(orgcode === undefined ? {} : { 'x-orgcode': orgcode }),
        ...(key === undefined ? {} : { 'x-api-key': key }),
        ...headers,
      },
      ...(payload === undefined || method === 'GET' ? {} : { payload }),
    });
    const envelope: unknown = answer.json();
    assertContractAnswer(path.slice(1), method, answer.statusCode, envelope);
    return {
      status: answer.statusCode,
      headers: answer.headers as ApiAnswer['headers'],
      body: envelope as ApiAnswer['body'],
    };
  }

  /** A new organisation with a key for each role that a spec asks for. */
  async anOrg(orgcode = `org-${randomBytes(4).toString('hex')}`): Promise<string> {
    await this.app.get(BootstrapService).ensureOrganisation(orgcode, 'spec');
    return orgcode;
  }

  async aKey(orgcode: string, ...roles: Role[]): Promise<string> {
    const caller = operatorCaller(orgcode, 'access/key/create', 'spec');
    const request = { roles: roles.length > 0 ? roles : (['owner'] as Role[]), ...writeGrounds(orgcode) };
    const { data } = await this.app.get(ApiKeyService).create(caller, request);
    return data.api_key;
  }

  /** An organisation and an owner of it. */
  async anOwner(): Promise<{ orgcode: string; key: string }> {
    const orgcode = await this.anOrg();
    return { orgcode, key: await this.aKey(orgcode, 'owner') };
  }
}

/** What every write has to say. */
export function writeGrounds(
  orgcode: string,
  reason = 'a spec asks for it',
): {
  request_context: { orgcode: string; actor: string; context_source: 'api_key' };
  reason: string;
  source_refs: { kind: string; id: string }[];
} {
  return {
    request_context: { orgcode, actor: 'spec', context_source: 'api_key' },
    reason,
    source_refs: [{ kind: 'spec', id: '1' }],
  };
}
