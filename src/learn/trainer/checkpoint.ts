import { createHash } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync } from 'node:fs';
import { UserError } from '../../base/errors.js';
import { writeFileAtomic } from '../../base/files.js';

/**
 * Everything that a run needs to go on where it was, in one file.
 *
 * | bytes | what |
 * |---|---|
 * | 8 | magic "RVCKPT01" |
 * | 8 | length of the whole file, uint64 little-endian |
 * | 8 | length of the JSON that follows, uint64 |
 * | … | JSON: `state`, and name and length of each tensor |
 * | … | the tensors, float32 little-endian, in that order |
 * | 32 | SHA-256 of everything before |
 */
export interface Checkpoint {
  /** Whatever is not a tensor: step, seed, random states, options. Numbers must be finite. */
  readonly state: JsonValue;
  readonly tensors: Readonly<Record<string, Float32Array>>;
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

interface Header {
  state: JsonValue;
  tensors: [name: string, length: number][];
}

const MAGIC = 'RVCKPT01';
const HEADER_BYTES = 24;
const HASH_BYTES = 32;

/** Where the checkpoint before the newest is kept. */
export function previousCheckpoint(path: string): string {
  return `${path}.previous`;
}

/**
 * Writes a checkpoint whole or not at all; the one that was there becomes `PATH.previous`.
 * At every moment of this, one of the two is good.
 */
export function saveCheckpoint(path: string, checkpoint: Checkpoint): void {
  const bytes = encode(path, checkpoint);
  // A damaged file must not displace a good previous one.
  if (existsSync(path) && typeof decode(path) !== 'string') {
    rmSync(previousCheckpoint(path), { force: true });
    linkSync(path, previousCheckpoint(path));
  }
  writeFileAtomic(path, bytes);
}

/** @throws UserError where the file is missing, cut short or damaged; it names the previous good checkpoint */
export function readCheckpoint(path: string): Checkpoint {
  const result = decode(path);
  if (typeof result !== 'string') return result;
  const previous = previousCheckpoint(path);
  const hint =
    existsSync(previous) && typeof decode(previous) !== 'string'
      ? `\nthe checkpoint before it is intact: ${previous}`
      : '';
  throw new UserError(`${path}: ${result}${hint}`);
}

export interface LoadedCheckpoint extends Checkpoint {
  /** The file that was read. */
  readonly path: string;
  /** Why it was the previous one. */
  readonly warning?: string;
}

/** Reads the newest good checkpoint. @throws UserError where neither the file nor its predecessor is good */
export function loadCheckpoint(path: string): LoadedCheckpoint {
  const newest = decode(path);
  if (typeof newest !== 'string') return { ...newest, path };
  const fallback = previousCheckpoint(path);
  const older = decode(fallback);
  if (typeof older === 'string') throw new UserError(`${path}: ${newest}\n${fallback}: ${older}`);
  return { ...older, path: fallback, warning: `${path}: ${newest}; going on from ${fallback}` };
}

function encode(path: string, { state, tensors }: Checkpoint): Buffer {
  const names = Object.keys(tensors);
  const json = JSON.stringify({ state, tensors: names.map((n) => [n, tensors[n].length]) }, (key, value) => {
    // JSON would write null, and the run would resume as something else.
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new RangeError(`${path}: "${key}" in the state of the checkpoint is ${value}`);
    return value;
  });
  const text = Buffer.from(json);
  const parts = names.map((n) => {
    const { buffer, byteOffset, byteLength } = tensors[n];
    return Buffer.from(buffer, byteOffset, byteLength);
  });
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  const total = parts.reduce((sum, part) => sum + part.length, HEADER_BYTES + text.length + HASH_BYTES);
  header.writeBigUInt64LE(BigInt(total), 8);
  header.writeBigUInt64LE(BigInt(text.length), 16);
  const body = Buffer.concat([header, text, ...parts]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/** @returns the checkpoint, or what is wrong with the file */
function decode(path: string): Checkpoint | string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return `no checkpoint here (${(error as NodeJS.ErrnoException).code})`;
  }
  if (bytes.toString('latin1', 0, 8) !== MAGIC) return `not a checkpoint (it does not start with "${MAGIC}")`;
  if (bytes.length < HEADER_BYTES) return `the checkpoint is cut short: ${bytes.length} bytes`;
  const total = Number(bytes.readBigUInt64LE(8));
  if (bytes.length < total) return `the checkpoint is cut short: ${bytes.length} bytes of ${total}`;
  const hash = createHash('sha256').update(bytes.subarray(0, -HASH_BYTES)).digest();
  if (!hash.equals(bytes.subarray(-HASH_BYTES)))
    return 'the checkpoint is damaged: its SHA-256 does not match';
  // From here on the bytes are those that `encode` made.
  let at = HEADER_BYTES + Number(bytes.readBigUInt64LE(16));
  const header = JSON.parse(bytes.toString('utf8', HEADER_BYTES, at)) as Header;
  const tensors: Record<string, Float32Array> = {};
  for (const [name, length] of header.tensors) {
    // Copied out: a file read into Node's buffer pool need not lie on a multiple of four.
    tensors[name] = new Float32Array(length);
    new Uint8Array(tensors[name].buffer).set(bytes.subarray(at, at + 4 * length));
    at += 4 * length;
  }
  return { state: header.state, tensors };
}
