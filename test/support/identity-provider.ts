import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

export const ISSUER = 'https://identity.example';
export const AUDIENCE = 'ipm';

export interface TokenOptions {
  alg?: string;
  kid?: string | undefined;
  issuer?: string;
  audience?: string | string[];
  /** Seconds from now. */
  expiresIn?: number | undefined;
  notBeforeIn?: number;
}

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** An issuer of tokens: keys of its own, and a JWKS over HTTP. Counts who asks for it. */
export class IdentityProvider {
  jwksRequests = 0;
  /** What the JWKS address answers instead, if set. */
  jwksAnswer: { status: number; body: string } | undefined;
  private readonly keys = new Map<string, { alg: string; pair: KeyPair }>();
  private server: Server | undefined;

  /** With a first key for RS256 (`k1`) and one for ES256 (`k2`). */
  static async start(): Promise<IdentityProvider> {
    const provider = new IdentityProvider();
    await provider.addKey('k1', 'RS256');
    await provider.addKey('k2', 'ES256');
    await provider.listen();
    return provider;
  }

  async addKey(kid: string, alg: string): Promise<void> {
    this.keys.set(kid, { alg, pair: await generateKeyPair(alg, { extractable: true }) });
  }

  get jwksUrl(): string {
    const { port } = this.server?.address() as AddressInfo;
    return `http://127.0.0.1:${port}/jwks.json`;
  }

  /** The environment of a product that trusts this issuer. */
  get environment(): Record<string, string> {
    return { JWT_JWKS_URL: this.jwksUrl, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE };
  }

  /** The public keys as a JWKS document. */
  async jwks(): Promise<string> {
    const keys = [...this.keys].map(async ([kid, { alg, pair }]) => ({
      ...(await exportJWK(pair.publicKey)),
      kid,
      alg,
      use: 'sig',
    }));
    return JSON.stringify({ keys: await Promise.all(keys) });
  }

  publicPem(kid: string): Promise<string> {
    return exportSPKI(this.keyOf(kid).pair.publicKey);
  }

  /** A signed token; by default good in every respect. */
  token(claims: JWTPayload, options: TokenOptions = {}): Promise<string> {
    const { kid = 'k1', issuer = ISSUER, audience = AUDIENCE, notBeforeIn } = options;
    const { alg, pair } = this.keyOf(this.keys.has(kid) ? kid : 'k1');
    const now = Math.floor(Date.now() / 1000);
    const expiresIn = 'expiresIn' in options ? options.expiresIn : 300;
    const token = new SignJWT(claims)
      .setProtectedHeader({ alg: options.alg ?? alg, kid })
      .setIssuer(issuer)
      .setAudience(audience);
    token.setIssuedAt(now);
    if (expiresIn !== undefined) token.setExpirationTime(now + expiresIn);
    if (notBeforeIn !== undefined) token.setNotBefore(now + notBeforeIn);
    return token.sign(pair.privateKey);
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    this.server?.close();
    if (this.server?.listening) await once(this.server, 'close');
  }

  private keyOf(kid: string): { alg: string; pair: KeyPair } {
    const key = this.keys.get(kid);
    if (!key) throw new Error(`the identity provider has no key ${kid}`);
    return key;
  }

  private async listen(): Promise<void> {
    this.server = createServer((_request, response) => {
      this.jwksRequests += 1;
      void this.jwks().then((body) => {
        const answer = this.jwksAnswer ?? { status: 200, body };
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
      });
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }
}

/** The parts of a token as they are, with another payload or header put in place and the signature kept. */
export function tampered(token: string, change: { header?: object; payload?: object; signature?: string }): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const merged = (part: string, by: object | undefined): string =>
    by === undefined
      ? part
      : encoded({ ...(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as object), ...by });
  return [merged(header, change.header), merged(payload, change.payload), change.signature ?? signature].join('.');
}

export function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
