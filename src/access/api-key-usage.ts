import { Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { log } from '../platform/telemetry/logger.js';
import { ApiKeyRepository } from './api-key.repository.js';

const WRITE_EVERY_MS = 20_000;

/** When a key was last used: noted in memory, written in one statement for all keys, and lost harmlessly by a crash. */
@Injectable()
export class ApiKeyUsage implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private used = new Map<string, { orgcode: string; keyId: string }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeyRepository,
  ) {}

  note(orgcode: string, keyId: string): void {
    this.used.set(`${orgcode}/${keyId}`, { orgcode, keyId });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.write(), WRITE_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.write();
  }

  async write(): Promise<void> {
    if (this.used.size === 0) return;
    const used = [...this.used.values()];
    this.used = new Map();
    try {
      await this.database.acrossOrganisations('key last used', (tx) => this.keys.markUsed(tx, used));
    } catch (error) {
      log.warn({ err: error }, 'the last use of API keys could not be written; the next use is written again');
    }
  }
}
