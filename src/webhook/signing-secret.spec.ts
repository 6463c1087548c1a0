import { Webhook } from 'standardwebhooks';
import { signatureOf } from '../platform/outgoing/message-signature.js';
import { lastFourOf, newSigningSecret } from './signing-secret.js';

describe('the signature', () => {
  it('verifies with the public library, over the exact body, and with no other secret, id, time or body', () => {
    const secret = newSigningSecret();
    const now = Math.floor(Date.now() / 1000);
    const body = JSON.stringify({ note: 'ünïcode 😀', n: 1 });
    const headers = (signature: string, id = 'msg_1', time = now): Record<string, string> => ({
      'webhook-id': id,
      'webhook-timestamp': String(time),
      'webhook-signature': signature,
    });
    const signature = signatureOf(secret, 'msg_1', now, body);
    const receiver = new Webhook(secret);
    expect(receiver.verify(body, headers(signature))).toEqual(JSON.parse(body));
    expect(() => receiver.verify(`${body} `, headers(signature))).toThrow();
    expect(() => receiver.verify(body, headers(signature, 'msg_2'))).toThrow();
    expect(() => receiver.verify(body, headers(signature, 'msg_1', now + 1))).toThrow();
    expect(() => new Webhook(newSigningSecret()).verify(body, headers(signature))).toThrow();
  });

  it('has a secret of 32 random bytes, of which the last four characters tell nothing', () => {
    const secret = newSigningSecret();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(lastFourOf(secret)).toHaveLength(4);
    expect(newSigningSecret()).not.toBe(secret);
  });
});
