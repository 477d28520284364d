import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseUserInput, UserError } from '../base/errors.js';
import { packageRoot, writeFileAtomic } from '../base/files.js';
import { type Manifest, manifestSchema } from './manifest.js';

/** A policy on disk: a folder with these files. */
const FILES = { network: 'policy.onnx', manifest: 'manifest.json', card: 'card.md' } as const;

export interface Bundle {
  readonly manifest: Manifest;
  /** The bytes of `policy.onnx`. */
  readonly onnx: Uint8Array;
  /** For people: what the policy does and how well, Markdown. */
  readonly card?: string;
  /** Absolute path of the folder, for messages. */
  readonly path: string;
}

/** What `writeBundle` is given: it fills in the file name and the hash of the network. */
export interface BundleContents {
  readonly manifest: Omit<Manifest, 'format' | 'network'> & {
    readonly network: Omit<Manifest['network'], 'file' | 'sha256'>;
  };
  readonly onnx: Uint8Array;
  readonly card?: string;
}

/**
 * Finds a bundle: a folder as given, or a name in `policies/` of this package.
 * @throws UserError that lists where it looked
 */
export function findBundle(given: string): string {
  const candidates = [resolve(given), join(packageRoot, 'policies', given)];
  const found = candidates.find((folder) => existsSync(join(folder, FILES.manifest)));
  if (found) return found;
  const looked = candidates.map((folder) => `  ${join(folder, FILES.manifest)}`).join('\n');
  throw new UserError(`no policy "${given}"; looked for\n${looked}`);
}

/**
 * Reads a bundle and checks that its network is the one that the manifest describes.
 * @param given folder, or name of a shipped policy
 * @throws UserError where a file is missing, cut short, damaged or not as the schema says
 */
export function readBundle(given: string): Bundle {
  const path = findBundle(given);
  const manifestPath = join(path, FILES.manifest);
  const text = readBytes(manifestPath).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${manifestPath}: not valid JSON, or cut short: ${(error as Error).message}`);
  }
  const manifest = parseUserInput(manifestSchema, json, manifestPath);
  const networkPath = join(path, FILES.network);
  const onnx = readBytes(networkPath);
  const hash = sha256(onnx);
  if (hash !== manifest.network.sha256)
    throw new UserError(
      `${networkPath}: its ${onnx.length} bytes have SHA-256 ${hash}, the manifest names ` +
        `${manifest.network.sha256}: the file is cut short, damaged or of another policy`,
    );
  const cardPath = join(path, FILES.card);
  return { manifest, onnx, card: existsSync(cardPath) ? readFileSync(cardPath, 'utf8') : undefined, path };
}

/**
 * Writes a bundle: a folder beside it, complete and flushed, then renamed to its place. One that was
 * there is replaced; a crash between the two renames leaves it as `FOLDER.replaced`.
 * @throws UserError where the folder holds files that are not of a bundle; nothing is touched then
 */
export function writeBundle(folder: string, { manifest, onnx, card }: BundleContents): Bundle {
  const path = resolve(folder);
  const checked = parseUserInput(
    manifestSchema,
    {
      format: 1,
      ...manifest,
      network: { file: FILES.network, sha256: sha256(onnx), ...manifest.network },
    },
    join(path, FILES.manifest),
  );
  const known: string[] = Object.values(FILES);
  const strangers = existsSync(path) ? readdirSync(path).filter((file) => !known.includes(file)) : [];
  if (strangers.length > 0)
    throw new UserError(
      `${path}: holds ${strangers.join(', ')}, which is not part of a policy; not replaced`,
    );
  const unfinished = `${path}.unfinished`;
  const replaced = `${path}.replaced`;
  mkdirSync(dirname(path), { recursive: true });
  rmSync(unfinished, { recursive: true, force: true });
  rmSync(replaced, { recursive: true, force: true });
  mkdirSync(unfinished);
  writeFileAtomic(join(unfinished, FILES.network), onnx);
  writeFileAtomic(join(unfinished, FILES.manifest), `${JSON.stringify(checked, undefined, 2)}\n`);
  if (card !== undefined) writeFileAtomic(join(unfinished, FILES.card), card);
  if (existsSync(path)) renameSync(path, replaced);
  renameSync(unfinished, path);
  rmSync(replaced, { recursive: true, force: true });
  return { manifest: checked, onnx, card, path };
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
