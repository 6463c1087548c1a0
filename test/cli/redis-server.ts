import { once } from 'node:events';
import net from 'node:net';

export interface PretendedRedis {
  url: string;
  stop(): Promise<void>;
}

interface RedisTraits {
  version: string;
  policy: string;
  skewSeconds: number;
}

/** Answers as a Redis of another version, policy or clock would; a real one cannot be told to. */
export async function pretendRedis(traits: Partial<RedisTraits>): Promise<PretendedRedis> {
  const { version = '7.2.0', policy = 'noeviction', skewSeconds = 0 } = traits;
  const info = `# Server\r\nredis_version:${version}\r\n# Memory\r\nmaxmemory_policy:${policy}\r\n`;
  const answerTo = (command: string): string => {
    if (command === 'INFO') return `$${info.length}\r\n${info}\r\n`;
    if (command !== 'TIME') return '+OK\r\n';
    const seconds = String(Math.floor(Date.now() / 1000) + skewSeconds);
    return `*2\r\n$${seconds.length}\r\n${seconds}\r\n$1\r\n0\r\n`;
  };
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    // `*<arguments>`, then the command's name after its length; what the doctor asks fits into one packet each.
    socket.on('data', (bytes: Buffer) => {
      for (const [, command = ''] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        socket.write(answerTo(command.toUpperCase()));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
