import type { FastifyRequest } from 'fastify';
import type { AppError } from '../errors/app-error.js';
import type { ExpectedFailure } from '../errors/error-catalog.js';
import type { RequiredRole } from './roles.js';

/** A room beside /ipm, which answers as a document of its own says. */
export interface OperatorRoom {
  /** All that is below it is the room's, also what leads nowhere: `/api/admin/operations`. */
  path: string;
  /** The body of an answer to what was refused or failed; status and headers are everybody's. */
  failureBody: (error: AppError, request: FastifyRequest) => object;
  /** What somebody is answered whose credential opens nothing here. */
  wrongCredential: ExpectedFailure;
  /** Members of an organisation who may do this come in too, for what is theirs; without it only operators do. */
  membersWith?: RequiredRole;
}

const rooms: OperatorRoom[] = [];

/** From here on refusals below its path are answered as the room says, whoever refuses: a hook, a parser or Fastify itself. */
export function defineOperatorRoom(room: OperatorRoom): OperatorRoom {
  rooms.push(room);
  return room;
}

/** Whose a request is: its route says so, and its address where it led to none. */
export function operatorRoomOf({ url, routeOptions }: FastifyRequest): OperatorRoom | undefined {
  const { operatorRoute } = (routeOptions.config ?? {}) as { operatorRoute?: { room: OperatorRoom } };
  const [path = ''] = url.split('?');
  return operatorRoute?.room ?? rooms.find((room) => path === room.path || path.startsWith(`${room.path}/`));
}
