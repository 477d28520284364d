import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../../base/errors.js';
import { packageRoot } from '../../base/files.js';

/** What `native/cyclone/addon.c` offers. Entities are Cyclone's own handles. */
export interface CycloneAddon {
  createDomain(id: number, configuration: string): number;
  createParticipant(domain: number, userData: string): number;
  createWriter(...endpoint: EndpointArguments): { readonly entity: number };
  write(writer: { readonly entity: number }, bytes: Uint8Array): void;
  createReader(...endpoint: [...EndpointArguments, (bytes: Buffer) => void]): {
    readonly entity: number;
    readonly handle: unknown;
  };
  closeReader(handle: unknown): void;
  close(entity: number): void;
  matched(entity: number, isWriter: boolean): number;
  gid(entity: number): Buffer;
  otherTypes(participant: number, topic: string, type: string): string[];
}
type EndpointArguments = [
  participant: number,
  topic: string,
  type: string,
  reliable: boolean,
  transientLocal: boolean,
  /** 0: all. */
  depth: number,
  userData: string,
];

const run = promisify(execFile);
const sources = join(packageRoot, 'native/cyclone');
const require = createRequire(import.meta.url);

/** Where the addon lies once it is built: in the user's cache, under a name that changes with its sources. */
export function addonPath(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(sources).sort()) hash.update(readFileSync(join(sources, file)));
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const name = `cyclone-${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 16)}.node`;
  return join(cache, 'reverie', name);
}

/**
 * Compiles the addon against Cyclone DDS 0.10 with the C compiler of the system.
 * @returns its path
 * @throws UserError that says what is missing
 */
export async function buildAddon(): Promise<string> {
  const path = addonPath();
  const temporary = `${path}.${process.pid}.tmp`;
  mkdirSync(dirname(path), { recursive: true });
  const files = readdirSync(sources).filter((file) => file.endsWith('.c'));
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  const compiler = process.env.CC || 'cc';
  const options = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC'];
  if (process.platform === 'darwin') options.push('-undefined', 'dynamic_lookup');
  try {
    await run(compiler, [
      ...options,
      '-DNODE_GYP_MODULE_NAME=reverie_cyclone',
      `-I${headers}`,
      ...files.map((file) => join(sources, file)),
      '-lddsc',
      '-o',
      temporary,
    ]);
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string };
    if (code === 'ENOENT')
      throw new UserError(`no C compiler "${compiler}" (Debian: apt install gcc libc6-dev)`);
    if (/dds\/dds\.h|-lddsc/.test(stderr))
      throw new UserError('Cyclone DDS 0.10 is not installed (Debian: apt install cyclonedds-dev)');
    throw new UserError(`the addon for Cyclone DDS does not compile:\n${stderr}`);
  }
  renameSync(temporary, path);
  return path;
}

/** @throws UserError where it was not built, or its library is gone */
export function loadAddon(): CycloneAddon {
  const path = addonPath();
  if (!existsSync(path))
    throw new UserError('the addon for Cyclone DDS is not built: reverie ros build-cyclone');
  try {
    return require(path) as CycloneAddon;
  } catch (error) {
    throw new UserError(`the addon for Cyclone DDS does not load: ${(error as Error).message}`);
  }
}
