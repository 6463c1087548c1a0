import type { Environment } from './environment-reader.js';

/** The environment of this process; only who parses it should ask for it. */
export const environment: Environment = process.env;
