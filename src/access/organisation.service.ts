import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import { Database } from '../platform/database/database.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { RevisionedRecords } from '../platform/http/operation.js';
import type { OrganisationData, OrganisationSetRequest, OrganisationShape } from './access.dto.js';
import { accessErrors } from './access.errors.js';
import { organisationToWire } from './access.mapper.js';
import {
  OrganisationRepository,
  type OrganisationRecord,
  type OrganisationSettings,
} from './organisation.repository.js';

/** The classes of calls that an operator may limit for one organisation. */
export const LIMIT_CLASSES = ['session', 'key', 'bulk', 'feed'] as const;
export type LimitClass = (typeof LIMIT_CLASSES)[number];
/** Calls a minute; `default` is what the configuration says. A class that is not named stays as it is. */
export type LimitChanges = Partial<Record<LimitClass, number | 'default'>>;

@Injectable()
export class OrganisationService extends RevisionedRecords {
  constructor(
    private readonly database: Database,
    private readonly writes: WriteService,
    private readonly organisations: OrganisationRepository,
  ) {
    super();
  }

  async get(orgcode: string): Promise<OrganisationShape> {
    return organisationToWire(await this.database.read(orgcode, (db) => this.present(db, orgcode)));
  }

  snapshot(orgcode: string): Promise<object | undefined> {
    return this.get(orgcode);
  }

  /** Those after the given one, in the order of their codes; for operators, who see them all. */
  pageOfAll(afterOrgcode: string, limit: number): Promise<OrganisationShape[]> {
    return this.database.acrossOrganisations('organisation list', async (tx) =>
      (await this.organisations.pageOfAll(tx, afterOrgcode, limit)).map(organisationToWire),
    );
  }

  set(caller: Caller, request: OrganisationSetRequest): Promise<Answer<OrganisationData>> {
    return this.setAsOperator(caller, request, {});
  }

  /** Limits are the operator's to set: no route takes them. */
  setAsOperator(
    caller: Caller,
    request: OrganisationSetRequest,
    limits: LimitChanges,
  ): Promise<Answer<OrganisationData>> {
    return this.writes.once(caller, request, async (tx) => {
      assertTimeZone(request.time_zone);
      await this.organisations.lock(tx, caller.orgcode);
      const current = await this.present(tx, caller.orgcode);
      if (String(current.revision) !== request.expected_revision) {
        throw new AppError(platformErrors.revisionStale, { conflictSnapshot: organisationToWire(current) });
      }
      const settings = { ...settingsIn(request), ...limitsWith(current, limits) };
      const org = organisationToWire(await this.organisations.update(tx, caller.orgcode, settings));
      const audit = {
        resource: { type: 'organisation', id: org.orgcode },
        before: organisationToWire(current),
        after: org,
      };
      return { data: { org }, revision: org.revision, audit };
    });
  }

  private async present(
    db: Parameters<OrganisationRepository['find']>[0],
    orgcode: string,
  ): Promise<OrganisationRecord> {
    const found = await this.organisations.find(db, orgcode);
    if (!found) throw new AppError(platformErrors.orgNotFound);
    return found;
  }
}

/** What is not in the request stays as it is. */
function settingsIn({ caption, time_zone, week_start, catalog_policy }: OrganisationSetRequest): OrganisationSettings {
  return {
    ...(caption === undefined ? {} : { caption }),
    ...(time_zone === undefined ? {} : { timeZone: time_zone }),
    ...(week_start === undefined ? {} : { weekStart: week_start }),
    ...(catalog_policy === undefined ? {} : { catalogPolicy: catalog_policy }),
  };
}

function limitsWith(current: OrganisationRecord, changes: LimitChanges): Pick<OrganisationSettings, 'limits'> {
  if (Object.keys(changes).length === 0) return {};
  const merged = Object.entries({ ...(current.limits as Record<string, number>), ...changes });
  return { limits: Object.fromEntries(merged.filter((entry): entry is [string, number] => entry[1] !== 'default')) };
}

function assertTimeZone(name: string | undefined): void {
  if (name === undefined) return;
  try {
    if (/^[+-]/.test(name)) throw new RangeError('an offset is no time zone'); // it would know no daylight saving
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    throw new AppError(accessErrors.timeZoneUnknown, { fields: [{ path: 'time_zone', tag: 'not_a_time_zone' }] });
  }
}
