import fc from 'fast-check';
import { attachment } from './content-disposition.js';

describe('the name of a file to save', () => {
  it('stands as it is where it is plain', () => {
    expect(attachment('events 2026-01.ndjson')).toBe('attachment; filename="events 2026-01.ndjson"');
  });

  it('cannot leave its quotes or its line, whatever it is, and can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (fileName) => {
        const [, encoded] = /^attachment; filename="[A-Za-z0-9 ._-]*"(?:; filename\*=UTF-8''([\w.~!%-]*))?$/.exec(
          attachment(fileName),
        )!;
        expect(encoded === undefined ? fileName : decodeURIComponent(encoded)).toBe(fileName);
      }),
    );
    expect(attachment('half \ud800 of a pair')).toContain("filename*=UTF-8''half%20_%20of");
  });
});
