import { readFileSync } from 'node:fs';
import { LineCounter, parseAllDocuments } from 'yaml';
import { CommandFailure, EXIT } from './failure.js';

/** The event types of a file: one document with one type or a list of them, or several documents. */
export function readCatalogFile(file: string): Record<string, unknown>[] {
  const types = documentsOf(file).flatMap((document) =>
    Array.isArray(document) ? (document as unknown[]) : [document],
  );
  const odd = types.findIndex((type) => typeof type !== 'object' || type === null || Array.isArray(type));
  if (types.length === 0) throw unusable(file, 'holds no event type');
  if (odd !== -1) throw unusable(file, `holds something that is no event type, at place ${odd + 1}`);
  return types as Record<string, unknown>[];
}

function documentsOf(file: string): unknown[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(readText(file), { lineCounter: lines });
  if (!Array.isArray(documents)) return [];
  for (const { errors } of documents) {
    const [error] = errors;
    if (error) throw unusable(file, `is not YAML: ${error.message.split('\n')[0]}`);
  }
  try {
    return documents.map((document): unknown => document.toJS()).filter((document) => document !== null);
  } catch (error) {
    throw unusable(file, `is not usable YAML: ${(error as Error).message}`); // aliases that grow without bound
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(file, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function unusable(file: string, what: string): CommandFailure {
  return new CommandFailure(
    EXIT.wrongUsage,
    'catalog_file_unusable',
    `${file} ${what}; catalog/README.md shows the format.`,
  );
}
