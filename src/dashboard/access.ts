import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

const COOKIE = 'reverie_token';
/** Pages and programs of Foxglove that come from elsewhere than this server: its web and its desktop application. */
const VIEWERS = ['https://app.foxglove.dev', 'file://'];

export interface AccessOptions {
  /** Asked of everybody, where there is one. */
  readonly token?: string;
  /** Whether the server speaks TLS. */
  readonly secure: boolean;
  /** Further names that this machine is reached under. */
  readonly names: readonly string[];
  /** Further origins from which a Foxglove viewer may connect. */
  readonly origins: readonly string[];
}

/**
 * Who may speak to the dashboard. Listening on loopback keeps other machines out, but not the pages
 * that this machine's browser has open: so the `Host` must be an address or a name of this machine,
 * which a name that somebody points here (DNS rebinding) is not, and a WebSocket's `Origin` must be
 * the dashboard's own page.
 */
export class Access {
  private readonly names: readonly string[];

  constructor(private readonly options: AccessOptions) {
    const own = hostname().toLowerCase();
    this.names = ['localhost', own, `${own}.local`, ...options.names.map((n) => n.toLowerCase())];
  }

  /** Whether the request asks for this machine. */
  isForUs({ headers }: IncomingMessage): boolean {
    const host = headers.host?.toLowerCase() ?? '';
    const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    return isIP(name) !== 0 || this.names.includes(name);
  }

  /** Whether the request comes from the dashboard's own page. */
  isOwnPage({ headers }: IncomingMessage): boolean {
    return headers.origin === `${this.options.secure ? 'https' : 'http'}://${headers.host}`;
  }

  /** Whether a Foxglove viewer may look: a program of its own, which sends no origin, or one that is known. */
  isViewer(request: IncomingMessage): boolean {
    const { origin } = request.headers;
    return (
      origin === undefined ||
      this.isOwnPage(request) ||
      VIEWERS.includes(origin) ||
      this.options.origins.includes(origin)
    );
  }

  /** Whether the request shows the token, in its cookie, as a bearer or in its query; true where there is none. */
  isKnown(request: IncomingMessage): boolean {
    const { token } = this.options;
    if (token === undefined) return true;
    const { cookie, authorization } = request.headers;
    const given =
      tokenInQuery(request) ??
      /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ??
      new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]+)`).exec(cookie ?? '')?.[1];
    return given !== undefined && timingSafeEqual(digest(given), digest(token));
  }

  /** The header that spares a page from showing its token again. */
  cookie(): string {
    return `${COOKIE}=${this.options.token}; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=2592000`;
  }
}

export function tokenInQuery(request: IncomingMessage): string | undefined {
  return new URL(request.url ?? '/', 'http://query').searchParams.get('token') ?? undefined;
}

/** Of equal length, whatever was given. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
