const MAX_BYTES = 2 * 1024;

/** What a terminal takes as an instruction: colours, cursor, titles. */
const TERMINAL_SEQUENCES =
  /(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[\x20-\x7e]/g;
const WHITE_SPACE = /[\t\n\v\f\r\x85\u2028\u2029]+/g;
/** Control characters, and those that turn the direction of a text. */
const NOT_SHOWN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The beginning of an answer as one line that is safe to store, to show and to print: what anybody sent, with nothing left that acts. */
export function answerExcerpt(answer: Uint8Array): string {
  const text = decoded(answer.subarray(0, MAX_BYTES), answer.length >= MAX_BYTES);
  const cleaned = text.replaceAll(TERMINAL_SEQUENCES, '').replaceAll(WHITE_SPACE, ' ').replaceAll(NOT_SHOWN, '').trim();
  return withinBytes(cleaned);
}

/** Invalid bytes become U+FFFD, except the half of a character at a cut of ours. */
function decoded(bytes: Uint8Array, isCut: boolean): string {
  return new TextDecoder('utf-8').decode(bytes, { stream: isCut });
}

/** U+FFFD is longer than the byte it stands for. */
function withinBytes(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= MAX_BYTES ? text : decoded(bytes.subarray(0, MAX_BYTES), true);
}
