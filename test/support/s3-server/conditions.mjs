// @ts-check
import { S3Error } from './s3-error.mjs';

/**
 * @typedef {import('./s3-request.mjs').S3Request} S3Request
 * @typedef {import('./stored.mjs').StoredObject} StoredObject
 */

/** @param {S3Request} request @param {StoredObject | undefined} present */
export function assertMayReplace(request, present) {
  const ifNoneMatch = request.header('if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw new S3Error('NotImplemented');
  if (ifNoneMatch !== undefined && present) throw new S3Error('PreconditionFailed');
  const ifMatch = request.header('if-match');
  if (ifMatch === undefined) return;
  if (!present) throw new S3Error('NoSuchKey');
  if (!names(ifMatch, present)) throw new S3Error('PreconditionFailed');
}

/** Answers whether the caller has this version already. @param {S3Request} request @param {StoredObject} present */
export function isNotModified(request, present) {
  const ifMatch = request.header('if-match');
  if (ifMatch !== undefined && !names(ifMatch, present)) throw new S3Error('PreconditionFailed');
  const ifNoneMatch = request.header('if-none-match');
  return ifNoneMatch !== undefined && names(ifNoneMatch, present);
}

/** @param {S3Request} request @param {StoredObject} source */
export function assertMayCopy(request, source) {
  const ifMatch = request.amz('x-amz-copy-source-if-match');
  if (ifMatch !== undefined && !names(ifMatch, source)) throw new S3Error('PreconditionFailed');
  const ifNoneMatch = request.amz('x-amz-copy-source-if-none-match');
  if (ifNoneMatch !== undefined && names(ifNoneMatch, source)) throw new S3Error('PreconditionFailed');
}

/** @param {string} condition @param {StoredObject} object */
function names(condition, object) {
  const etags = condition.split(',').map((etag) => etag.trim().replace(/^"?(.*?)"?$/, '"$1"'));
  return condition.trim() === '*' || etags.includes(object.etag);
}
