import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { UserError } from '../base/errors.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** What every answer says: no other site may frame the page, and it loads nothing from elsewhere. */
export const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** The built page, read once: a path that is not in the list does not exist, however it is spelt. */
export class PageFiles {
  private readonly files = new Map<string, Buffer>();

  /** @throws UserError where the page was not built */
  constructor(folder: string) {
    if (!existsSync(join(folder, 'index.html')))
      throw new UserError(`${folder}: the dashboard's page is not built; npm run build`);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      this.files.set(path.slice(folder.length).replaceAll('\\', '/'), readFileSync(path));
    }
    this.files.set('/', this.files.get('/index.html')!);
  }

  /** @returns false where there is no such file */
  answer(path: string, response: ServerResponse): boolean {
    const bytes = this.files.get(path);
    if (!bytes) return false;
    // The build puts a hash of the content into every name but the first page's.
    const forever = path.startsWith('/assets/');
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      'Content-Type': TYPES[extname(path) || '.html'] ?? 'application/octet-stream',
      'Content-Length': bytes.length,
      'Cache-Control': forever ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
    response.end(bytes);
    return true;
  }
}
