/** What stands behind a keyword of JSON Schema 2020-12. A keyword that is not in here is refused: we could not say what it makes a check do. */
const KEYWORDS = {
  schema: [
    ...['additionalProperties', 'contains', 'else', 'if', 'items', 'not', 'propertyNames', 'then'],
    ...['unevaluatedItems', 'unevaluatedProperties'],
  ],
  schemas: ['allOf', 'anyOf', 'oneOf', 'prefixItems'],
  namedSchemas: ['$defs', 'dependentSchemas', 'patternProperties', 'properties'],
  reference: ['$ref'],
  value: [
    ...['$comment', '$schema', 'default', 'deprecated', 'description', 'examples', 'readOnly', 'title', 'writeOnly'],
    ...['const', 'dependentRequired', 'enum', 'format', 'pattern', 'required', 'type'],
    ...['exclusiveMaximum', 'exclusiveMinimum', 'maximum', 'minimum', 'multipleOf', 'maxLength', 'minLength'],
    ...['maxContains', 'maxItems', 'maxProperties', 'minContains', 'minItems', 'minProperties', 'uniqueItems'],
  ],
} as const;

export type KeywordKind = keyof typeof KEYWORDS;

const kinds = new Map<string, KeywordKind>(
  (Object.keys(KEYWORDS) as KeywordKind[]).flatMap((kind) => KEYWORDS[kind].map((keyword) => [keyword, kind] as const)),
);

export function keywordKind(keyword: string): KeywordKind | undefined {
  return kinds.get(keyword);
}
