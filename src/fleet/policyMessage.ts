import { createHash, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Bundle } from '../policy/bundle.js';
import { type Manifest, manifestSchema } from '../policy/manifest.js';
import { manifestFault } from '../policy/signature.js';
import { MalformedMessage } from './refusals.js';

/**
 * A policy as it travels and as it is kept, little-endian: magic "RVP1"; schema version, uint16;
 * 2 bytes 0; length of the manifest, uint32; the manifest, JSON, signed; the network, whose SHA-256
 * the manifest carries.
 */
export const POLICY_SCHEMA = 1;
const MAGIC = 'RVP1';
const HEADER_BYTES = 12;

export type SentPolicy = Pick<Bundle, 'manifest' | 'onnx'>;

export function encodePolicy({ manifest, onnx }: SentPolicy): Buffer {
  const json = Buffer.from(JSON.stringify(manifest));
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header.writeUInt16LE(POLICY_SCHEMA, 4);
  header.writeUInt32LE(json.length, 8);
  return Buffer.concat([header, json, onnx]);
}

/**
 * @param trusted public keys of those whose policies may be loaded
 * @throws MalformedMessage naming what is wrong
 */
export function decodePolicy(bytes: Buffer, trusted: readonly KeyObject[]): SentPolicy {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC)
    throw new MalformedMessage(`no policy (it does not start with "${MAGIC}")`);
  const schema = bytes.readUInt16LE(4);
  if (schema !== POLICY_SCHEMA)
    throw new MalformedMessage(`schema version ${schema}, expected ${POLICY_SCHEMA}`);
  const end = HEADER_BYTES + bytes.readUInt32LE(8);
  if (end > bytes.length) throw new MalformedMessage('the policy is cut short');
  const manifest = parseManifest(bytes.toString('utf8', HEADER_BYTES, end));
  const fault = manifestFault(manifest, trusted);
  if (fault) throw new MalformedMessage(`policy ${manifest.name}: ${fault}`);
  // A copy: what the client handed over may be a piece of a larger buffer, which would travel along.
  const onnx = Uint8Array.from(bytes.subarray(end));
  if (sha256(onnx) !== manifest.network.sha256)
    throw new MalformedMessage('the network is not the one that the manifest names (SHA-256)');
  return { manifest, onnx };
}

function parseManifest(text: string): Manifest {
  try {
    const result = manifestSchema.safeParse(JSON.parse(text));
    if (result.success) return result.data;
  } catch {}
  throw new MalformedMessage('its manifest is not of the schema');
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * A piece of a policy, little-endian: magic "RVC1"; index and number of pieces, uint32 each; SHA-256
 * of the whole policy, 32 bytes; its bytes from index · CHUNK_BYTES on.
 */
export const CHUNK_BYTES = 64 << 10;
const CHUNK_MAGIC = 'RVC1';
const CHUNK_HEADER_BYTES = 44;
/** No policy of a robot is larger; what says that it is fills the memory for nothing. */
export const MAX_POLICY_BYTES = 64 << 20;

export interface Chunk {
  readonly index: number;
  readonly of: number;
  /** SHA-256 of the policy that it is a piece of. */
  readonly id: string;
  readonly bytes: Buffer;
}

export function encodeChunks(policy: Buffer): Buffer[] {
  const id = sha256(policy);
  const of = Math.ceil(policy.length / CHUNK_BYTES);
  return Array.from({ length: of }, (_, index) => {
    const header = Buffer.alloc(CHUNK_HEADER_BYTES);
    header.write(CHUNK_MAGIC, 'latin1');
    header.writeUInt32LE(index, 4);
    header.writeUInt32LE(of, 8);
    header.write(id, 12, 'hex');
    return Buffer.concat([header, policy.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)]);
  });
}

/** @throws MalformedMessage naming what is wrong */
export function decodeChunk(bytes: Buffer): Chunk {
  if (bytes.length < CHUNK_HEADER_BYTES || bytes.toString('latin1', 0, 4) !== CHUNK_MAGIC)
    throw new MalformedMessage(`no piece of a policy (it does not start with "${CHUNK_MAGIC}")`);
  const [index, of] = [4, 8].map((at) => bytes.readUInt32LE(at));
  if (bytes.length > CHUNK_HEADER_BYTES + CHUNK_BYTES || of * CHUNK_BYTES > MAX_POLICY_BYTES)
    throw new MalformedMessage('oversized: larger than a policy may be');
  if (index >= of) throw new MalformedMessage(`piece ${index} of ${of}`);
  return { index, of, id: bytes.toString('hex', 12, 44), bytes: bytes.subarray(CHUNK_HEADER_BYTES) };
}

/** What a learner says of a policy. It is signed as text, together with whom it is for. */
export const offerSchema = z.strictObject({
  schema: z.literal(1),
  run: z.string(),
  number: z.int().positive().describe('grows with every offer of a run: an old one cannot be said again'),
  id: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 of the policy as it travels'),
  bytes: z.int().positive().max(MAX_POLICY_BYTES),
  stage: z.enum(['canary', 'fleet']),
  canary: z.array(z.string()).describe('the robots that try it first'),
  trial: z.strictObject({
    seconds: z.number().positive(),
    tolerance: z.number().nonnegative().describe('share by which the mean reward may be lower than before'),
    safety_events: z.int().nonnegative().describe('more than before that are put up with'),
  }),
});
export type Offer = z.output<typeof offerSchema>;

export const signedOfferSchema = z.strictObject({
  offer: z.string().describe('the offer as JSON: the very text that is signed'),
  signature: z.strictObject({ key: z.string(), value: z.base64() }),
});

/** What a robot made of the newest offer. */
export const policyStatusSchema = z.object({
  number: z.int(),
  id: z.string(),
  state: z.enum(['refused', 'waiting', 'trial', 'kept', 'rolled_back']),
  reasons: z.array(z.string()),
});
export type PolicyStatus = z.output<typeof policyStatusSchema>;
