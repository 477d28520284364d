import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { UserError } from '../base/errors.js';

export interface Broker {
  /** For clients: mqtt://127.0.0.1:PORT. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * An MQTT 3.1.1 broker inside this process, reachable from this machine alone: it asks nobody for a
 * password. It keeps nothing on disk.
 * @param port 0 for any that is free
 * @throws UserError where the port is taken
 */
export async function startBroker(port = 0): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new UserError(`no broker on port ${port}: ${error.code}`)),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      // A second time there is nothing to close, and nobody to say so.
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
