import net from 'node:net';

export async function freePort(host = '127.0.0.1'): Promise<number> {
  const { port } = await listenOnce(0, host);
  return port;
}

export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  try {
    await listenOnce(port, host);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}

/** The port used before, so that addresses stay the same over restarts, unless somebody else has it now. */
export async function rememberedOrFreePort(remembered: number | undefined): Promise<number> {
  return remembered !== undefined && (await isPortFree(remembered)) ? remembered : freePort();
}

function listenOnce(port: number, host: string): Promise<net.AddressInfo> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address() as net.AddressInfo;
      server.close(() => resolve(address));
    });
  });
}
