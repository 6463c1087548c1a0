// A worker that stands still (SIGSTOP) once, just before something that it does for a job: STANDS_STILL_AT says before what.
import { ImportChunkRepository } from '../../../../dist/bulk/import-chunk.repository.js';
import { ImportReports } from '../../../../dist/bulk/import-reports.service.js';
import { S3ObjectStore } from '../../../../dist/platform/object-store/s3-object-store.js';

let isDone = false;

function stopBefore(prototype, name, isMeant = () => true, change = (given) => given) {
  const { [name]: original } = prototype;
  prototype[name] = function stopOnce(...given) {
    if (isDone || !isMeant(...given)) return original.apply(this, given);
    isDone = true;
    process.kill(process.pid, 'SIGSTOP');
    return original.apply(this, change(given));
  };
}

/** As a worker may whose pages of the log end elsewhere. */
const withOtherBytes = ([key, uploadId, number, body]) => [
  key,
  uploadId,
  number,
  Buffer.concat([body, body.subarray(0, 1)]),
];

const places = {
  step: () => stopBefore(ImportChunkRepository.prototype, 'write', (_job, { lines }) => lines > 1_000),
  report: () => stopBefore(ImportReports.prototype, 'write'),
  part: () => stopBefore(S3ObjectStore.prototype, 'putPart', (_key, _upload, number) => number === 2, withOtherBytes),
  completion: () => stopBefore(S3ObjectStore.prototype, 'completeParts'),
};
places[process.env.STANDS_STILL_AT]();
