import { Lifecycle } from '../platform/lifecycle/lifecycle.js';

export type ApiKeyStatus = 'active' | 'revoked';

export const apiKeyLifecycle = new Lifecycle<ApiKeyStatus>({
  service: 'ipm',
  name: 'api_key',
  states: ['active', 'revoked'],
  transitions: [
    { from: 'active', to: 'revoked', rule: 'An owner revokes the key; it is refused at once and for good.' },
  ],
});
