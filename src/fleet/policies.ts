import { createHash } from 'node:crypto';
import type { Bundle } from '../policy/bundle.js';
import { type Manifest, manifestSchema } from '../policy/manifest.js';
import type { Link } from './link.js';
import { MalformedMessage, Refusals } from './refusals.js';

/**
 * A policy as it travels, little-endian: magic "RVP1"; schema version, uint16; 2 bytes 0; length of
 * the manifest, uint32; the manifest, JSON; the network. The manifest carries the network's SHA-256.
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

/** @throws MalformedMessage naming what is wrong */
export function decodePolicy(bytes: Buffer): SentPolicy {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC)
    throw new MalformedMessage(`no policy (it does not start with "${MAGIC}")`);
  const schema = bytes.readUInt16LE(4);
  if (schema !== POLICY_SCHEMA)
    throw new MalformedMessage(`schema version ${schema}, expected ${POLICY_SCHEMA}`);
  const end = HEADER_BYTES + bytes.readUInt32LE(8);
  if (end > bytes.length) throw new MalformedMessage('the policy is cut short');
  const manifest = parseManifest(bytes.toString('utf8', HEADER_BYTES, end));
  // A copy: what the client handed over may be a piece of a larger buffer, which would travel along.
  const onnx = Uint8Array.from(bytes.subarray(end));
  if (createHash('sha256').update(onnx).digest('hex') !== manifest.network.sha256)
    throw new MalformedMessage('the network is not the one that the manifest names (SHA-256)');
  return { manifest, onnx };
}

/** Replaces the policy that robots find when they come, too. */
export function publishPolicy(link: Link, policy: SentPolicy): void {
  link.publish(link.topics.policy, encodePolicy(policy), { retain: true });
}

/** What a robot made of a policy. `id`: SHA-256 of its network. */
export interface PolicyStatus {
  readonly id: string;
  readonly admitted: boolean;
  readonly reasons: readonly string[];
}

/** Hands over each whole policy that comes, and says what became of it. */
export async function receivePolicies(
  link: Link,
  take: (policy: SentPolicy) => Promise<Omit<PolicyStatus, 'id'>>,
  onNotice: (line: string) => void,
): Promise<void> {
  const refusals = new Refusals(onNotice);
  const { policy: topic, policyStatus } = link.topics;
  await link.subscribe(topic, async (payload) => {
    const policy = refusals.guard(topic, () => decodePolicy(payload));
    if (!policy) return;
    const { admitted, reasons } = await take(policy);
    const status: PolicyStatus = { id: policy.manifest.network.sha256, admitted, reasons };
    link.publish(policyStatus, JSON.stringify(status), { retain: true });
  });
}

function parseManifest(text: string): Manifest {
  try {
    const result = manifestSchema.safeParse(JSON.parse(text));
    if (result.success) return result.data;
  } catch {}
  throw new MalformedMessage('its manifest is not of the schema');
}
