import { readdirSync } from 'node:fs';
import path from 'node:path';

/** The files of the product whose names end so; without specs and generated code. */
export function sourceFiles(ending = '.ts', folder = 'src'): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter(
      (file) => file.endsWith(ending) && !file.endsWith('.spec.ts') && !file.startsWith(path.join('src', 'generated')),
    )
    .sort();
}
