import { identityOf } from '../../src/local/process-identity.js';
import { gone, StartedProgram } from './started-program.js';

jest.setTimeout(60_000);

describe('a program run by npm', () => {
  it('ends when npm is killed with -9, although a shell between them waits on', async () => {
    const npm = new StartedProgram('npm-like.mjs');
    await npm.says('runs as');
    const pid = Number(/runs as (\d+)/.exec(npm.output)?.[1]);
    expect(identityOf(pid)).toBeDefined();
    npm.kill();
    await gone(npm.pid, pid);
  });
});
