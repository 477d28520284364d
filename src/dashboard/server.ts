import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { UserError } from '../base/errors.js';
import type { Scene } from '../robot/scene.js';
import { type Access, tokenInQuery } from './access.js';
import { PageFiles, SECURITY_HEADERS } from './files.js';
import { FOXGLOVE_PROTOCOLS, type FoxgloveServer } from './foxglove/server.js';
import type { PageHub } from './pageHub.js';
import { PATHS } from './protocol.js';

/** Where Foxglove and Lichtblick look for a server by themselves. */
const FIRST_PORT = 8765;
const PORTS = 10;
/** Nobody has more to say at once: a request, or the hand on the controls. */
const MOST_MESSAGE_BYTES = 16 * 1024;

export interface ServerOptions {
  readonly host: string;
  /** Where not given, the first free port from 8765 on; 0 for any. */
  readonly port?: number;
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly access: Access;
  /** Folder of the built page. */
  readonly page: string;
  readonly scene: () => Promise<Scene>;
  readonly pages: PageHub;
  readonly foxglove: FoxgloveServer;
}

/** The dashboard's web server: the page, its live connection, and Foxglove's. */
export class DashboardServer {
  private constructor(
    private readonly server: Server,
    private readonly sockets: WebSocketServer,
    readonly url: string,
  ) {}

  /** @throws UserError where the port is taken or the certificate is none */
  static async listen(options: ServerOptions): Promise<DashboardServer> {
    const { access, tls, host } = options;
    const files = new PageFiles(options.page);
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      serve(request, response, options, files).catch((error: Error) => {
        if (!response.headersSent) refuse(response, 500, error.message);
      });
    };
    let server: Server;
    try {
      server = tls ? createSecureServer(tls, answer) : createServer(answer);
    } catch (error) {
      throw new UserError(`dashboard: certificate or key cannot be used: ${(error as Error).message}`);
    }
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MOST_MESSAGE_BYTES,
      handleProtocols: (offered) => FOXGLOVE_PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const refusal = refusalOf(request, access);
      if (refusal) {
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (connection) => {
        // A client that breaks the protocol, or sends too much, is closed by the library.
        connection.on('error', () => {});
        if (isFoxglove(request)) options.foxglove.accept(connection);
        else options.pages.accept(connection);
      });
    });
    const port = await bind(server, host, options.port);
    const name = host.includes(':') ? `[${host}]` : host;
    return new DashboardServer(server, sockets, `${tls ? 'https' : 'http'}://${name}:${port}`);
  }

  async close(): Promise<void> {
    for (const client of this.sockets.clients) client.terminate();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function isFoxglove({ headers }: IncomingMessage): boolean {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim());
  return FOXGLOVE_PROTOCOLS.some((protocol) => offered.includes(protocol));
}

/** Why a WebSocket is not opened, as a status line; undefined where it is. */
function refusalOf(request: IncomingMessage, access: Access): string | undefined {
  if (!access.isForUs(request)) return '421 Misdirected Request';
  if (isFoxglove(request)) {
    if (!access.isViewer(request)) return '403 Forbidden';
  } else {
    if (new URL(request.url ?? '/', 'http://path').pathname !== PATHS.live) return '404 Not Found';
    if (!access.isOwnPage(request)) return '403 Forbidden';
  }
  return access.isKnown(request) ? undefined : '401 Unauthorized';
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { access, scene }: ServerOptions,
  files: PageFiles,
): Promise<void> {
  if (!access.isForUs(request)) return refuse(response, 421, 'not a name of this machine');
  if (request.method !== 'GET') return refuse(response, 405, 'GET alone');
  if (!access.isKnown(request)) return refuse(response, 401, 'open the address with ?token=…');
  const { pathname } = new URL(request.url ?? '/', 'http://path');
  if (tokenInQuery(request) !== undefined) {
    // The token goes into a cookie, and out of the address: an address is shown, kept and passed on.
    response.writeHead(303, { ...SECURITY_HEADERS, Location: pathname, 'Set-Cookie': access.cookie() });
    response.end();
    return;
  }
  if (pathname === PATHS.scene) {
    response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': 'application/json' });
    response.end(JSON.stringify(await scene()));
    return;
  }
  if (!files.answer(pathname, response)) refuse(response, 404, 'no such page');
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { ...SECURITY_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${reason}\n`);
}

/** @returns the port that it listens on */
async function bind(server: Server, host: string, wanted: number | undefined): Promise<number> {
  const tried = wanted === undefined ? Array.from({ length: PORTS }, (_, i) => FIRST_PORT + i) : [wanted];
  for (const port of tried) {
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(port, host, () => {
        server.off('error', resolve);
        resolve(undefined);
      });
    });
    if (!error) return (server.address() as AddressInfo).port;
    if (error.code !== 'EADDRINUSE')
      throw new UserError(`dashboard: cannot listen on ${host} port ${port} (${error.code})`);
  }
  throw new UserError(
    `dashboard: port ${tried.join(', ')} of ${host} is in use; --dashboard-port names another`,
  );
}
