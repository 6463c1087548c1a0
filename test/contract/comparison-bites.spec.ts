import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { contractDifferences, type OpenApi } from '../support/contract-comparison.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- mutated at arbitrary places
type Mutable = any;

const text = readFileSync('contract/ipm.openapi.yaml', 'utf8');
const copy = (): Mutable => parse(text) as Mutable;
const post = (document: Mutable, path: string): Mutable => document.paths[path].post;
const schemas = (document: Mutable): Mutable => document.components.schemas;
const dataOf = (operation: Mutable): Mutable =>
  operation.responses['200'].content['application/json'].schema.allOf[1].properties.data;

function differencesAfter(change: (served: Mutable) => void): string[] {
  const served = copy();
  change(served);
  return contractDifferences(copy() as OpenApi, served as OpenApi);
}

describe('the comparison with the contract', () => {
  it('finds nothing between two copies', () => {
    expect(differencesAfter(() => undefined)).toEqual([]);
  });

  const bites: Record<string, (served: Mutable) => void> = {
    'an enum that lost a value': (served) => schemas(served).Webhook.properties.status.enum.pop(),
    'an enum that gained a value': (served) => schemas(served).BulkJob.properties.status.enum.push('cancelled'),
    'a renamed property': (served) => {
      const { properties } = schemas(served).EventCatalogListRequest;
      properties.actionPrefix = properties.action_prefix;
      delete properties.action_prefix;
    },
    'a property of another type': (served) => (schemas(served).KpiSnapshot.properties.value.type = 'string'),
    'another format': (served) => delete schemas(served).CdcListRequest.properties.from_utc.format,
    'a property that is no longer required': (served) => schemas(served).WebhookStatusSetRequest.required.pop(),
    'a property that became required': (served) => (schemas(served).WebhookListRequest.required = ['limit']),
    'a deep property of an answer': (served) =>
      delete dataOf(post(served, '/lifecycle/list')).properties.items.items.properties.transitions.items.properties
        .rule,
    'an extra property that is not marked': (served) => (schemas(served).Stats.properties.region = { type: 'string' }),
    'an extra property that is marked with something else than true': (served) =>
      (schemas(served).Stats.properties.region = { type: 'string', 'x-ipm-extension': 'true' }),
    'another x- level': (served) => (post(served, '/cdc/list')['x-latency-p99-ms'] = 401),
    'a missing x- level': (served) => delete post(served, '/webhook/get')['x-route-class'],
    'an x- level that the contract does not name': (served) => (post(served, '/webhook/get')['x-latency-p99-ms'] = 600),
    'another x- promise of a body': (served) =>
      (schemas(served).KpiRecordRequest['x-idempotency-retention-hours'] = 12),
    'a renamed header': (served) => (served.components.parameters.OrgHeader.name = 'x-org'),
    'a header that became optional': (served) => (served.components.parameters.OrgHeader.required = false),
    'a missing header': (served) => post(served, '/kpi/query').parameters.pop(),
    'an extra header': (served) =>
      post(served, '/webhook/get').parameters.push({ $ref: '#/components/parameters/CostCentreHeader' }),
    'a body that became required': (served) => (post(served, '/cdc/list').requestBody.required = true),
    'a missing body': (served) => delete post(served, '/cdc/list').requestBody,
    'another media type': (served) => {
      const { requestBody } = post(served, '/cdc/list');
      requestBody.content = { 'application/x-ndjson': requestBody.content['application/json'] };
    },
    'another status of success': (served) => {
      const { responses } = post(served, '/webhook/create');
      responses['201'] = responses['200'];
      delete responses['200'];
    },
    'an extra answer that is not marked': (served) =>
      (post(served, '/cdc/list').responses['202'] = { description: 'later' }),
    'a way to prove who one is that is not marked': (served) => {
      served.components.securitySchemes.basicAuth = { type: 'http', scheme: 'basic' };
      served.security.push({ basicAuth: [] });
    },
    'a missing way to prove who one is': (served) => served.security.pop(),
    'credentials in another header': (served) => (served.components.securitySchemes.apiKeyAuth.name = 'x-key'),
    'a route without credentials': (served) => (post(served, '/cdc/list').security = []),
    'a route that is gone': (served) => delete served.paths['/cdc/list'],
    'another method': (served) => {
      served.paths['/cdc/list'] = { get: post(served, '/cdc/list') };
    },
    'a route that is not marked': (served) => (served.paths['/cdc/stream'] = { post: post(served, '/cdc/list') }),
    'a route of the contract that is marked as ours': (served) => (post(served, '/cdc/list')['x-ipm-extension'] = true),
    'a shape of the contract that is marked as ours': (served) => (schemas(served).SourceRef['x-ipm-extension'] = true),
  };
  it.each(Object.entries(bites))('finds %s', (_what, change) => {
    expect(differencesAfter(change)).not.toEqual([]);
  });

  const marked = { 'x-ipm-extension': true };
  const passes: Record<string, (served: Mutable) => void> = {
    'a marked property, required or not': (served) => {
      schemas(served).Webhook.properties.backlog_lost_from = { type: 'string', ...marked };
      schemas(served).Webhook.required.push('backlog_lost_from');
    },
    'a marked property that refers to a shape': (served) =>
      (schemas(served).Webhook.properties.grounds = { $ref: '#/components/schemas/SourceRef', ...marked }),
    'a marked route': (served) => (served.paths['/cdc/stream'] = { get: { ...post(served, '/cdc/list'), ...marked } }),
    'a marked answer': (served) =>
      (post(served, '/cdc/list').responses.default = { description: 'refused', ...marked }),
    'a marked way to prove who one is': (served) => {
      served.components.securitySchemes.bearerAuth = { type: 'http', scheme: 'bearer', ...marked };
      served.security.push({ bearerAuth: [] });
    },
    'other words for people': (served) => {
      post(served, '/cdc/list').summary = 'Read the feed';
      post(served, '/cdc/list').tags = ['Feed'];
      schemas(served).Stats.properties.session_fingerprint.description = 'other words';
    },
    'another order of what has none': (served) => {
      schemas(served).Webhook.required.reverse();
      schemas(served).Webhook.properties.status.enum.reverse();
      post(served, '/cdc/list').parameters.reverse();
    },
    'allOf written as one object': (served) => {
      const data = dataOf(post(served, '/webhook/create'));
      const { required, properties } = schemas(served).Webhook;
      data.properties = { ...properties, signing_secret: { type: 'string' } };
      data.required = required;
      data.type = 'object';
      delete data.allOf;
    },
  };
  it.each(Object.entries(passes))('lets pass %s', (_what, change) => {
    expect(differencesAfter(change)).toEqual([]);
  });

  it('does not take a property called "description" or "title" for words', () => {
    const named = differencesAfter((served) => delete schemas(served).KpiAlert.properties.title);
    expect(named.join()).toContain('title');
  });

  it('says so when a reference leads nowhere', () => {
    expect(() => differencesAfter((served) => delete schemas(served).Stats)).toThrow(
      '#/components/schemas/Stats leads nowhere',
    );
  });
});
