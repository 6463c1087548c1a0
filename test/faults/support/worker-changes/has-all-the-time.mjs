// Sabotage of F10: calls may take as long as they like.
import { OutgoingCalls } from '../../../../dist/platform/outgoing/outgoing-calls.js';

const { post } = OutgoingCalls.prototype;
OutgoingCalls.prototype.post = function (call) {
  return post.call(this, { ...call, timeoutMs: 600_000 });
};
