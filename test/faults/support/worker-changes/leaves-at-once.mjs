// Sabotage of F17: a worker that stops waits for nothing that is on its way.
import { DeliveryPump } from '../../../../dist/delivery/delivery-pump.service.js';

DeliveryPump.prototype.beforeApplicationShutdown = () => Promise.resolve();
