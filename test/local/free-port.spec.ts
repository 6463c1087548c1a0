import net from 'node:net';
import { freePort, isPortFree, rememberedOrFreePort } from '../../src/local/free-port.js';

describe('a free port', () => {
  let taken: net.Server;
  let takenPort: number;

  beforeEach(async () => {
    taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    takenPort = (taken.address() as net.AddressInfo).port;
  });
  afterEach(() => new Promise((resolve) => taken.close(resolve)));

  it('is told from one that somebody listens on', async () => {
    expect(await isPortFree(takenPort)).toBe(false);
    expect(await isPortFree(await freePort())).toBe(true);
  });

  it('is the remembered one while nobody else has it', async () => {
    const remembered = await freePort();
    expect(await rememberedOrFreePort(remembered)).toBe(remembered);
  });

  it('is another one when the remembered one is taken', async () => {
    const found = await rememberedOrFreePort(takenPort);
    expect(found).not.toBe(takenPort);
    expect(await isPortFree(found)).toBe(true);
  });

  it('tells an address that is not of this machine from a taken port', async () => {
    await expect(isPortFree(await freePort(), '192.0.2.1')).rejects.toThrow('EADDRNOTAVAIL');
  });
});
