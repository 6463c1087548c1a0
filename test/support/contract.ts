import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { parse } from 'yaml';

export interface ContractOperation {
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, { content: Record<string, { schema: object }> }>;
  [extension: `x-${string}`]: unknown;
}

export interface ContractDocument {
  paths: Record<string, Record<string, ContractOperation>>;
  components: { schemas: Record<string, object>; parameters: Record<string, object> };
}

/** The seed contract, as it is in the repository. */
export const contract = parse(readFileSync('contract/ipm.openapi.yaml', 'utf8')) as ContractDocument;

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajvFormats.default(ajv);
ajv.addSchema(contract, 'contract');

const validators = new Map<string, ValidateFunction>();

/** Throws unless an answer is what the contract says of this route, or of any envelope where the route is an extension. */
export function assertContractAnswer(call: string, method: string, status: number, answer: unknown): void {
  const path = `/${call}`;
  const known = contract.paths[path]?.[method.toLowerCase()];
  const reference =
    status === 200 && known
      ? `contract#/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}/responses/200/content/application~1json/schema`
      : 'contract#/components/schemas/Envelope';
  const validate = validators.get(reference) ?? ajv.compile({ $ref: reference });
  validators.set(reference, validate);
  if (validate(answer)) return;
  throw new Error(
    `${method} ${path} answered ${status} against the contract: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(answer)}`,
  );
}

/** Throws unless the value is what the contract's schema of that name says. */
export function assertContractSchema(name: string, value: unknown): void {
  const validate = ajv.compile({ $ref: `contract#/components/schemas/${name}` });
  if (!validate(value))
    throw new Error(`not a ${name} of the contract: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`);
}
