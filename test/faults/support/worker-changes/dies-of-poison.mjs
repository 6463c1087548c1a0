// Loaded before a worker (NODE_OPTIONS=--import): the sending of a marked event takes the process with it, as an address or a body could
// that makes a library crash.
import { DeliverySender } from '../../../../dist/delivery/delivery-sender.service.js';

const { send } = DeliverySender.prototype;
DeliverySender.prototype.send = function sendOrDie(delivery, ...more) {
  if (delivery.event.envelope.includes('"deadly":true')) process.kill(process.pid, 'SIGKILL');
  return send.call(this, delivery, ...more);
};
