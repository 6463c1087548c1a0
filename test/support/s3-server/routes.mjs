// @ts-check
import { createBucket, deleteObjects, headBucket, listObjects } from './bucket-operations.mjs';
import { abortUpload, completeUpload, createUpload, listParts, listUploads, uploadPart } from './multipart.mjs';
import { copyObject, deleteObject, getObject, putObject } from './objects.mjs';
import { S3Error } from './s3-error.mjs';

/**
 * @typedef {import('./objects.mjs').Call} Call
 * @typedef {import('./objects.mjs').Answer} Answer
 * @typedef {(call: Call) => Answer} Operation
 */

/** By method, and by the query parameter that S3 tells the operations of one method apart with. @type {Record<string, Operation>} */
const BUCKET_OPERATIONS = {
  PUT: createBucket,
  HEAD: headBucket,
  GET: listObjects,
  'POST delete': deleteObjects,
  'GET uploads': listUploads,
};

/** @type {Record<string, Operation>} */
const OBJECT_OPERATIONS = {
  GET: getObject,
  HEAD: getObject,
  PUT: putObject,
  DELETE: deleteObject,
  'PUT x-amz-copy-source': copyObject,
  'POST uploads': createUpload,
  'PUT uploadId': uploadPart,
  'GET uploadId': listParts,
  'POST uploadId': completeUpload,
  'DELETE uploadId': abortUpload,
};

const TOLD_APART_BY = ['delete', 'uploads', 'uploadId'];

/** Changes neither the operation nor its answer, or is read by the operation itself. */
const HARMLESS =
  /^(x-id|x-amz-.*|list-type|prefix|delimiter|max-keys|continuation-token|start-after|encoding-type|fetch-owner|partNumber|part-number-marker|max-parts|key-marker|upload-id-marker|max-uploads|response-.*)$/i;

/** @param {Call['request']} request @returns {Operation} */
export function operationFor(request) {
  const unknown = request.query
    .map(([name]) => name)
    .find((name) => !TOLD_APART_BY.includes(name) && !HARMLESS.test(name));
  if (unknown !== undefined) throw new S3Error('NotImplemented', `the query parameter ${unknown} is not implemented`);
  const operations = request.key === '' ? BUCKET_OPERATIONS : OBJECT_OPERATIONS;
  const operation = request.bucket === '' ? undefined : operations[nameOf(request)];
  if (!operation) throw new S3Error('MethodNotAllowed');
  return operation;
}

/** @param {Call['request']} request */
function nameOf(request) {
  const by = TOLD_APART_BY.filter((name) => request.parameter(name) !== undefined);
  if (request.amz('x-amz-copy-source') !== undefined) by.push('x-amz-copy-source');
  return [request.method, ...by].join(' ');
}
