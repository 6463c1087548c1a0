import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import { IntrospectionClient } from './introspection-client.js';
import { JwtVerifier } from './jwt-verifier.js';
import type { VouchedIdentity } from './vouched-identity.js';

type Vouching = (secret: string, traceparent: string) => Promise<VouchedIdentity | undefined>;

/** The identity services that the configuration names. */
@Injectable()
export class IdentityServices implements OnApplicationShutdown {
  private readonly introspection: IntrospectionClient | undefined;
  private readonly jwt: JwtVerifier | undefined;

  constructor({ identity }: Configuration) {
    this.introspection =
      identity.introspectionUrl === undefined ? undefined : new IntrospectionClient(identity.introspectionUrl);
    this.jwt = identity.jwt && new JwtVerifier(identity.jwt);
  }

  forKind(kind: 'session' | 'jwt'): Vouching | undefined {
    const { introspection, jwt } = this;
    if (kind === 'session')
      return introspection && ((guid, traceparent) => introspection.introspect(guid, traceparent));
    return jwt && ((token) => jwt.verify(token));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.introspection?.close();
  }
}
