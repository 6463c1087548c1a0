import { readFileSync } from 'node:fs';
import { SERVING_FLAGS } from './serving-flags.js';

describe('the flags that Node serves with', () => {
  it('are the same in the image', () => {
    const [, command = '[]'] = /^CMD (\[.*\])$/m.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
    expect(JSON.parse(command)).toEqual(['node', ...SERVING_FLAGS, 'dist/main.js']);
  });
});
