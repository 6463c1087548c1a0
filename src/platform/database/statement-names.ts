const MAX_NAMES = 1_000;

/** By name a connection parses a statement once, and plans it once where its plan does not depend on what is asked. */
export class StatementNames {
  private readonly names = new Map<string, string>();

  /** Undefined beyond a bound: texts that are all different would fill the memory of every connection of the server. */
  of(text: string): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined || this.names.size >= MAX_NAMES) return known;
    const name = `ipm ${this.names.size}`;
    this.names.set(text, name);
    return name;
  }
}
