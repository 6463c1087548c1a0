// Two OpenAPI documents, operation by operation: what a client can tell apart, with every `$ref` written out, `allOf` of
// objects merged into one and words for people left out.

export interface Json {
  readonly [name: string]: unknown;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components?: object;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];
const FOR_PEOPLE = new Set([
  'description',
  'summary',
  'title',
  'example',
  'examples',
  'externalDocs',
  'tags',
  'operationId',
]);
const MARK = 'x-ipm-extension';
/** Names below these are chosen by who wrote the document, and each may be marked as an extension. */
const MAPS_BY_NAME = new Set(['properties', 'patternProperties', 'responses', 'headers', 'content', 'securitySchemes']);
const UNORDERED = new Set(['required', 'enum', 'type']);

/** What differs, one line each, as `POST /path at/place: contract … | served …`; empty when the served document keeps the promise. */
export function contractDifferences(contract: OpenApi, served: OpenApi): string[] {
  const promised = operationsIn(contract);
  const built = operationsIn(served);
  const missing = [...promised.keys()].filter((name) => !built.has(name));
  const added = [...built].filter(([name, { extension }]) => !promised.has(name) && !extension).map(([name]) => name);
  const mismarked = [...built].filter(([name, { extension }]) => promised.has(name) && extension).map(([name]) => name);
  return [
    ...missing.map((name) => `${name}: in the contract, not served`),
    ...added.map((name) => `${name}: served, neither in the contract nor marked ${MARK}`),
    ...mismarked.map((name) => `${name}: in the contract, yet marked ${MARK}`),
    ...[...promised].flatMap(([name, { shape }]) => {
      const operation = built.get(name);
      return operation ? diff(shape, operation.shape, name) : [];
    }),
  ];
}

interface ComparedOperation {
  shape: unknown;
  extension: boolean;
}

export function operationsIn(document: OpenApi): Map<string, ComparedOperation> {
  const operations = new Map<string, ComparedOperation>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method] as Json | undefined;
      if (!operation) continue;
      const name = `${method.toUpperCase()} ${path}`;
      const shape = operationShape(document, operation, (item as Json).parameters);
      operations.set(name, { shape, extension: operation[MARK] === true });
    }
  }
  return operations;
}

function operationShape(document: OpenApi, operation: Json, shared: unknown): unknown {
  const { parameters: own, security = document.security, ...rest } = without(operation, MARK);
  const listed = [...((shared as unknown[]) ?? []), ...((own as unknown[]) ?? [])];
  const parameters = listed.map((parameter) => canonical(document, parameter, []) as Json);
  return {
    ...(canonical(document, rest, []) as Json),
    parameters: Object.fromEntries(parameters.map((one) => [`${String(one.in)}:${String(one.name)}`, one])),
    security: requirements(document, security as OpenApi['security']),
  };
}

/** The ways to prove who one is; a way whose scheme is marked is ours. */
function requirements(document: OpenApi, security: OpenApi['security']): unknown[] {
  const schemes =
    (document.components as { securitySchemes?: Record<string, Json> } | undefined)?.securitySchemes ?? {};
  const ways = (security ?? []).filter((way) => !Object.keys(way).some((name) => schemes[name]?.[MARK] === true));
  const written = ways.map((way) =>
    Object.entries(way).map(([name, scopes]) => ({ scopes, scheme: canonical(document, schemes[name], []) })),
  );
  return written.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function canonical(document: OpenApi, node: unknown, open: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((one) => canonical(document, one, open));
  if (!isObject(node)) return node;
  if (typeof node.$ref === 'string') return followed(document, node, open);
  const entries = Object.entries(node)
    .filter(([key]) => !FOR_PEOPLE.has(key))
    .map(([key, value]) => {
      if (MAPS_BY_NAME.has(key) && isObject(value)) return [key, canonicalMap(document, value, open)] as const;
      return [key, ordered(key, canonical(document, value, open))] as const;
    });
  return merged(withoutMarkedRequired(Object.fromEntries(entries), node));
}

function followed(document: OpenApi, { $ref, ...beside }: Json, open: readonly string[]): unknown {
  const ref = $ref as string;
  if (open.includes(ref)) return { recursive: ref };
  const target = ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>(
      (at, step) => (isObject(at) ? at[step.replaceAll('~1', '/').replaceAll('~0', '~')] : at),
      document,
    );
  if (!isObject(target)) throw new Error(`${ref} leads nowhere`);
  return canonical(document, { ...target, ...beside }, [...open, ref]);
}

function canonicalMap(document: OpenApi, map: Json, open: readonly string[]): Json {
  const ours = Object.entries(map).filter(([, value]) => !isMarked(value));
  return Object.fromEntries(ours.map(([name, value]) => [name, canonical(document, value, open)]));
}

function withoutMarkedRequired(canonicalNode: Json, { properties, required }: Json): Json {
  if (!Array.isArray(required)) return canonicalNode;
  const kept = (required as string[]).filter((name) => !isMarked(isObject(properties) ? properties[name] : undefined));
  const rest = without(canonicalNode, 'required');
  return kept.length > 0 ? { ...rest, required: kept.sort() } : rest;
}

/** `allOf` of plain objects says the same as one object; keywords that we cannot merge stay where they are. */
function merged(node: Json): Json {
  if (!Array.isArray(node.allOf)) return node;
  const { allOf, ...own } = node;
  const parts = [...(allOf as Json[]), own];
  return parts.every(isPlain) ? parts.reduce<Json>(both, {}) : node;
}

function isPlain(schema: Json): boolean {
  return Object.keys(schema).every((key) => ['type', 'properties', 'required'].includes(key) || key.startsWith('x-'));
}

function both(a: Json, b: Json): Json {
  const properties: Record<string, unknown> = { ...(a.properties as Json) };
  for (const [name, schema] of Object.entries((b.properties ?? {}) as Record<string, Json>)) {
    properties[name] = properties[name] === undefined ? schema : merged({ allOf: [properties[name], schema] });
  }
  const required = [...new Set([...((a.required as string[]) ?? []), ...((b.required as string[]) ?? [])])].sort();
  return {
    ...a,
    ...b,
    ...(a.properties || b.properties ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
}

function ordered(key: string, value: unknown): unknown {
  return UNORDERED.has(key) && Array.isArray(value) ? [...(value as unknown[])].sort() : value;
}

function diff(contract: unknown, served: unknown, place: string): string[] {
  if (isObject(contract) && isObject(served)) {
    const names = new Set([...Object.keys(contract), ...Object.keys(served)]);
    return [...names].flatMap((name) => diff(contract[name], served[name], `${place} ${name}`));
  }
  if (Array.isArray(contract) && Array.isArray(served) && contract.length === served.length)
    return contract.flatMap((one, index) => diff(one, served[index], `${place} ${index}`));
  return contract === served ? [] : [`${place}: contract ${brief(contract)} | served ${brief(served)}`];
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 120);
}

function without(node: Json, key: string): Json {
  return Object.fromEntries(Object.entries(node).filter(([name]) => name !== key));
}

function isMarked(value: unknown): boolean {
  return isObject(value) && value[MARK] === true;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
