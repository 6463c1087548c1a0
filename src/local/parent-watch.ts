import { commandLineOf, identityOf, isRunning, parentOf, type ProcessIdentity } from './process-identity.js';

const EVERY_MS = process.platform === 'linux' ? 500 : 2_000;

/**
 * Resolves when the npm that runs us is gone: killed with -9, it takes nobody with it, and the shell between it and us waits on.
 * Never when we were started otherwise, because a shell may well end before what it started in the background.
 */
export function parentGone(environment = process.env): Promise<void> {
  if (environment.npm_lifecycle_event === undefined) return new Promise(() => undefined);
  const parents = launchers(process.ppid);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (parents.every(isRunning)) return;
      clearInterval(timer);
      resolve();
    }, EVERY_MS);
    timer.unref();
  });
}

function launchers(parent: number): ProcessIdentity[] {
  const isShellOfOneCommand = /^\S*sh -c /.test(commandLineOf(parent));
  const pids = isShellOfOneCommand ? [parent, parentOf(parent)] : [parent];
  return pids.map((pid) => identityOf(pid)).filter((identity) => identity !== undefined);
}
