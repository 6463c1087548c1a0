/** The class of an error: what kind of thing went wrong, whichever room it went wrong in. */
export const ERROR_MAJORS = {
  validation: 'The request is not valid.',
  authentication: 'The request carries no valid credential.',
  authorization: 'The credential does not allow this.',
  not_found: 'There is no such thing here.',
  conflict: 'The request conflicts with the present state.',
  precondition: 'The request must say which revision it changes.',
  rate_limited: 'Too many requests.',
  unavailable: 'Something this needs is not available at the moment.',
  internal: 'Something went wrong on our side.',
} as const;

export type ErrorMajor = keyof typeof ERROR_MAJORS;

export interface ExpectedFailure {
  /** Stable, snake_case; clients decide by it. */
  tag: string;
  major: ErrorMajor;
  status: number;
  retryable: boolean;
  /** One sentence that says what to do next. */
  message: string;
}

type FailureDefinition = Omit<ExpectedFailure, 'retryable'> & { retryable?: boolean };

const everyFailure = new Map<string, ExpectedFailure>();

/** A room's catalog of expected failures. A tag is one failure in the whole product. */
export function defineErrors<Name extends string>(
  definitions: Record<Name, FailureDefinition>,
): Readonly<Record<Name, ExpectedFailure>> {
  const entries = Object.entries<FailureDefinition>(definitions).map(([name, definition]) => {
    if (everyFailure.has(definition.tag)) throw new Error(`error tag ${definition.tag} is defined twice`);
    const failure = Object.freeze({ retryable: false, ...definition });
    everyFailure.set(failure.tag, failure);
    return [name, failure] as const;
  });
  return Object.freeze(Object.fromEntries(entries)) as Readonly<Record<Name, ExpectedFailure>>;
}

/** All catalogs that are loaded, for the comparison with docs/errors.md. */
export function definedErrors(): ExpectedFailure[] {
  return [...everyFailure.values()];
}
