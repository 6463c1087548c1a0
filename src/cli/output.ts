import type { Failure } from './failure.js';

/** What a command did or found, for programs and for people. */
export interface CommandResult {
  document: object;
  text: string;
  /** 1 when something was found wrong or refused, and the document says what. */
  exitCode?: 0 | 1;
}

export function print({ document, text }: CommandResult, asJson: boolean): void {
  process.stdout.write(`${asJson ? JSON.stringify(document, null, 2) : printable(text)}\n`);
}

/** One more line of a command that goes on: as it is for programs, harmless for people. */
export function printLine(text: string, asJson: boolean): void {
  process.stdout.write(`${asJson ? text : printable(text)}\n`);
}

/** On a terminal, in place of the line before; in a log file it would be noise. */
export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

export function hideProgress(): void {
  showProgress('');
}

/** The sentence is for people; programs read the tag. */
export function printFailure({ tag, message, fields }: Failure, asJson: boolean): void {
  const named = (fields ?? []).map(({ path, tag: problem }) => `  ${path}: ${problem}`);
  process.stderr.write(`${[message, ...named].map(printable).join('\n')}\n`);
  if (asJson) process.stdout.write(`${JSON.stringify({ error: { error_code: tag, message, fields } }, null, 2)}\n`);
}

/** Columns as wide as their widest cell, two spaces apart. Empty columns are left out. */
export function table(headings: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string {
  const shown = headings.map((_, column) => rows.some((row) => (row[column] ?? '') !== ''));
  const cells = [headings, ...rows].map((row) =>
    headings.map((_, column) => cell(row[column])).filter((_, column) => shown[column]),
  );
  return aligned(cells);
}

/** `name  value`, one a line; absent values are left out. */
export function facts(pairs: readonly (readonly [string, string | undefined])[]): string {
  return aligned(pairs.filter(([, value]) => value !== undefined).map(([name, value]) => [name, cell(value)]));
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cell(text: string | undefined): string {
  return (text ?? '').replaceAll('\n', ' ');
}

/** Texts come from organisations: none of them moves the cursor or changes the window's title. */
function printable(text: string): string {
  return text.replaceAll(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
