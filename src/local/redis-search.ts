export interface RedisBinary {
  command: string;
  /** Where the libraries lie that came with it. */
  libraries?: string;
}

export interface RedisSearch {
  /** Folders to look in, as in PATH. */
  path: string;
  /** Where unpacked packages are kept. */
  cacheFolder: string;
  stopping: AbortSignal | undefined;
  progress: (line: string) => void;
}
