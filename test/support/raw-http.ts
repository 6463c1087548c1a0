import { once } from 'node:events';
import net from 'node:net';

export interface RawAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  text: string;
}

/** Sends the lines of a request exactly as given, which no HTTP client would: repeated headers, odd paths and methods. */
export async function rawRequest(
  port: number,
  head: readonly string[],
  body: string | Buffer = '',
): Promise<RawAnswer> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write([...head, `host: 127.0.0.1:${port}`, 'connection: close', '', ''].join('\r\n'));
  socket.write(body);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  const answer = Buffer.concat(chunks).toString('utf8');
  const [start = '', ...rest] = answer.split('\r\n\r\n');
  const [statusLine = '', ...lines] = start.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers),
    text: rest.join('\r\n\r\n'),
  };
}
