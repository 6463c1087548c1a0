// Sabotage of F9: whoever comes first may have all calls of the process.
import { IN_FLIGHT, QUEUED } from '../../../../dist/delivery/delivery-limits.js';
import { SendWindow } from '../../../../dist/delivery/send-window.js';

IN_FLIGHT.lane = IN_FLIGHT.process;
QUEUED.slowLane = QUEUED.lane;
SendWindow.prototype.park = () => false;
