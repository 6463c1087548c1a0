// Sabotage of F4 to F6: a worker that trusts its doorbell and never looks by itself.
import { RouterCursorRepository } from '../../../../dist/cdc/router-cursor.repository.js';
import { DeliveryRepository } from '../../../../dist/delivery/delivery.repository.js';

RouterCursorRepository.prototype.behind = () => Promise.resolve([]);
DeliveryRepository.prototype.dueLanes = () => Promise.resolve([]);
