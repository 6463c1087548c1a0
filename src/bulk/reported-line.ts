import type { FieldProblem } from '../platform/errors/app-error.js';

/** A refused line, as the report names it. */
export interface ReportedLine {
  line: number;
  byte_offset: number;
  error_tag: string;
  message: string;
  /** The first of the fields that are wrong, and all of them. */
  field?: string;
  fields?: FieldProblem[];
  excerpt: string;
}
