import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';

/** The object, or a part of it, is not the one that was asked for any more. */
export class ObjectChanged extends Error {
  constructor(readonly key: string) {
    super(`object ${key} is another by now`);
    this.name = 'ObjectChanged';
  }
}

export class ObjectAbsent extends Error {
  constructor(readonly key: string) {
    super(`there is no object ${key}`);
    this.name = 'ObjectAbsent';
  }
}

/** The store does not know this upload in parts: it was discarded, or never opened. Whoever writes begins again. */
export class UploadGone extends Error {
  constructor(readonly key: string) {
    super(`the upload of ${key} is gone`);
    this.name = 'UploadGone';
  }
}

/** The store is away, full, too slow or refuses us. The call may be repeated; the reason tells an operator what to mend. */
export class ObjectStoreUnavailable extends AppError {
  constructor(
    readonly reason: string,
    cause: unknown,
  ) {
    super(platformErrors.objectStoreUnavailable, { cause });
    this.name = 'ObjectStoreUnavailable';
    this.message = `the object store ${reason}`;
  }
}
