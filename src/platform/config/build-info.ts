import { readFileSync } from 'node:fs';

/** Version and commit, written by the build beside the code. */
export interface BuildInfo {
  build_major: string;
  build_minor: string;
  build_id: string;
}

const UNBUILT: BuildInfo = { build_major: '0', build_minor: '0', build_id: 'unbuilt' };

export const buildInfo: BuildInfo = readBuildInfo();

function readBuildInfo(): BuildInfo {
  try {
    return JSON.parse(readFileSync(new URL('../../build-info.json', import.meta.url), 'utf8')) as BuildInfo;
  } catch {
    return UNBUILT;
  }
}
