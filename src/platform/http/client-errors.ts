import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT';
const STATUS_BY_CODE: Readonly<Record<string, number>> = { [TOO_SLOW]: 408, HPE_HEADER_OVERFLOW: 431 };

/** Connections whose request may take longer than any other; whoever let it in watches over it. */
const unhurried = new WeakSet<Socket>();

/** Node tells once that a request takes too long, and leaves it to the listener to end it. */
export async function unhurriedly<T>({ socket }: IncomingMessage, work: Promise<T>): Promise<T> {
  unhurried.add(socket);
  try {
    return await work;
  } finally {
    unhurried.delete(socket);
  }
}

/** The end of what never became a request: too slow, too long a head, no HTTP. */
export function endConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  const { code = '' } = error;
  if (code === 'ECONNRESET' || socket.destroyed || (code === TOO_SLOW && unhurried.has(socket))) return;
  const status = STATUS_BY_CODE[code] ?? 400;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
  if (socket.writable) socket.write(head);
  socket.destroy(error);
}
