// Sabotage of F16: how far an import is, and what it refused, is written in a transaction of its own, and its events in the next.
import { setTimeout as sleep } from 'node:timers/promises';
import { ImportChunkRepository } from '../../../../dist/bulk/import-chunk.repository.js';

const { write } = ImportChunkRepository.prototype;
ImportChunkRepository.prototype.write = async function writeInTwo(job, checkpoint, chunk) {
  if (!(await write.call(this, job, checkpoint, { ...chunk, entries: [], ownCount: 0 }))) return false;
  await sleep(100);
  return write.call(this, job, checkpoint, { ...chunk, reported: [] });
};
