// Sabotage: whoever writes a report writes the lines that are there, whosever job it is by now.
import { ImportChunkRepository } from '../../../../dist/bulk/import-chunk.repository.js';

ImportChunkRepository.prototype.reported = async function reportedAnyhow({ orgcode, jobId }) {
  const rows = await this.database.read(orgcode, (db) =>
    db.bulkError.findMany({ where: { orgcode, jobId }, orderBy: { line: 'asc' } }),
  );
  return rows.map(({ entry }) => entry);
};
