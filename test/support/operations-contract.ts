import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { parse } from 'yaml';
import type { OpenApi } from './contract-comparison.js';

/** The document of room `operations`, as it is in the repository. */
export const operationsContract = parse(readFileSync('contract/operations.openapi.yaml', 'utf8')) as OpenApi;

const LIST = '/api/admin/operations';
const DETAIL = '/api/admin/operations/{operationRun}';

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajvFormats.default(ajv);
ajv.addSchema(operationsContract, 'operations');

/** Document 003, section 8. */
const ERROR = {
  type: 'object',
  required: ['code', 'message', 'details', 'request_id'],
  additionalProperties: false,
  properties: {
    code: { type: 'string', pattern: '^[a-z][a-z0-9_]*$' },
    message: { type: 'string', minLength: 1 },
    details: { type: 'object' },
    request_id: { type: 'string', minLength: 1 },
  },
};

const answerOf = (path: string): object => ({
  $ref: `operations#/paths/${path.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}/get/responses/200/content/application~1json/schema`,
});
const validators = {
  list: ajv.compile(answerOf(LIST)),
  detail: ajv.compile(answerOf(DETAIL)),
  error: ajv.compile(ERROR),
};

/** Throws unless an answer is what the document says of this path, or an error of the room's form. */
export function assertOperationsAnswer(url: string, status: number, answer: unknown): void {
  const [path = ''] = url.split('?');
  const validate = status !== 200 ? validators.error : path === LIST ? validators.list : validators.detail;
  if (validate(answer)) return;
  throw new Error(
    `${url} answered ${status} against its document: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(answer)}`,
  );
}
