import { BlockList, isIP } from 'node:net';

export type Environment = Readonly<Record<string, string | undefined>>;

/** All that is wrong with the environment at once, so that one start names every problem. */
export class BadConfiguration extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
    this.name = 'BadConfiguration';
  }
}

/** Reads one variable after the other, collecting what is wrong; `finish` throws if anything was. An empty value counts as unset. */
export class EnvironmentReader {
  readonly problems: string[] = [];

  constructor(private readonly environment: Environment) {}

  text(name: string): string | undefined;
  text(name: string, fallback: string): string;
  text(name: string, fallback?: string): string | undefined {
    return this.environment[name]?.trim() || fallback;
  }

  required(name: string, meaning: string): string {
    const value = this.text(name);
    if (value === undefined) this.problem(name, `is missing: ${meaning}`);
    return value ?? '';
  }

  secret(name: string, minimumLength: number): string | undefined {
    const value = this.text(name);
    if (value !== undefined && value.length < minimumLength)
      this.problem(name, `must have at least ${minimumLength} characters`);
    return value;
  }

  integer(name: string, fallback: number, { min, max }: { min: number; max: number }): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      this.problem(name, `must be an integer from ${min} to ${max}`);
    return number;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.text(name);
    if (value === undefined) return fallback;
    if (!allowed.includes(value as T)) this.problem(name, `must be one of ${allowed.join(', ')}`);
    return value as T;
  }

  url(name: string, protocols: readonly string[]): string | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const protocol = URL.canParse(value) ? new URL(value).protocol : undefined;
    if (!protocol || !protocols.includes(protocol))
      this.problem(name, `must be a URL starting with ${protocols.map((allowed) => `${allowed}//`).join(' or ')}`);
    return value;
  }

  requiredUrl(name: string, protocols: readonly string[], meaning: string): string {
    return this.url(name, protocols) ?? this.required(name, meaning);
  }

  list(name: string): string[] {
    const value = this.text(name);
    return value === undefined
      ? []
      : value
          .split(',')
          .map((item) => item.trim())
          .filter(Boolean);
  }

  networks(name: string): string[] {
    const networks = this.list(name);
    for (const network of networks)
      if (!isNetwork(network)) this.problem(name, `${network} is no network such as 10.0.0.0/8 or ::1/128`);
    return networks;
  }

  problem(name: string, sentence: string): void {
    this.problems.push(`${name} ${sentence}`);
  }

  finish(): void {
    if (this.problems.length > 0) throw new BadConfiguration(this.problems);
  }
}

function isNetwork(text: string): boolean {
  const [address = '', prefix = ''] = text.split('/');
  const family = isIP(address);
  if (family === 0 || !/^\d{1,3}$/.test(prefix)) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
    return true;
  } catch {
    return false;
  }
}
