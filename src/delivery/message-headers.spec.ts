import { Webhook } from 'standardwebhooks';
import { newSigningSecret } from '../webhook/signing-secret.js';
import { messageHeaders, type OutgoingMessage } from './message-headers.js';
import { webhookMessageId } from './webhook-message-id.js';

const EVENT = { orgcode: 'acme', eventId: 'e-1', occurredAt: '2026-01-02T03:04:05.000000Z' };

function aMessage(overrides: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    format: 'envelope',
    event: EVENT,
    body: JSON.stringify({ note: 'ünïcode 😀', n: 1 }),
    secrets: [newSigningSecret()],
    custom: {},
    deliveryId: '00000000-0000-8000-8000-000000000001',
    attempt: 3,
    isReplay: false,
    nowSeconds: Math.floor(Date.now() / 1000),
    ...overrides,
  };
}

describe('the headers of a webhook call', () => {
  it('verify with the public library by each secret of an overlap, over the exact body, in time, and by no other', () => {
    const secrets = [newSigningSecret(), newSigningSecret()];
    const message = aMessage({ secrets });
    const headers = messageHeaders(message);
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const secret of secrets)
      expect(new Webhook(secret).verify(String(message.body), headers)).toEqual(JSON.parse(String(message.body)));
    const [secret = ''] = secrets;
    expect(() => new Webhook(secret).verify(`${message.body} `, headers)).toThrow();
    expect(() => new Webhook(newSigningSecret()).verify(message.body, headers)).toThrow();
    const old = messageHeaders(aMessage({ secrets, nowSeconds: message.nowSeconds - 3_600 }));
    expect(() => new Webhook(secret).verify(message.body, old)).toThrow(/old/);
  });

  it('say which message, delivery and attempt it is, and what the body is', () => {
    expect(messageHeaders(aMessage({ nowSeconds: 1_767_000_000, isReplay: true }))).toEqual({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^IPM\/\d+\.\d+$/),
      'accept-encoding': 'identity',
      'webhook-id': webhookMessageId(EVENT),
      'webhook-timestamp': '1767000000',
      'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
      'ipm-delivery-id': '00000000-0000-8000-8000-000000000001',
      'ipm-attempt': '3',
      'ipm-replay': 'true',
    });
    expect(messageHeaders(aMessage({ format: 'event' }))['content-type']).toBe('application/json');
    expect(messageHeaders(aMessage({ format: 'cloudevents' }))['content-type']).toBe('application/cloudevents+json');
  });

  it('have those of the webhook, in place of none of ours', () => {
    const headers = messageHeaders(aMessage({ custom: { 'X-Team': 'blue', 'Webhook-Id': 'theirs' } }));
    expect(headers).toMatchObject({ 'x-team': 'blue', 'webhook-id': webhookMessageId(EVENT) });
    expect(Object.keys(headers).filter((name) => name.toLowerCase() === 'webhook-id')).toHaveLength(1);
  });

  it('are not made without a secret', () => {
    expect(() => messageHeaders(aMessage({ secrets: [] }))).toThrow(/verify/);
  });
});

describe('the id of a message', () => {
  it('is the same for ever and another one for another organisation, event or time', () => {
    expect(webhookMessageId(EVENT)).toBe('msg_PUcYghZM_nRORwWjxA5Vup');
    const ids = [
      EVENT,
      { ...EVENT, orgcode: 'acm', eventId: 'ee-1' },
      { ...EVENT, eventId: 'e-2' },
      { ...EVENT, occurredAt: '2026-01-02T03:04:05.000001Z' },
    ].map(webhookMessageId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^msg_[A-Za-z0-9_-]{22}$/);
  });
});
