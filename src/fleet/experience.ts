import { crc32 } from 'node:zlib';
import { MalformedMessage } from './refusals.js';

/**
 * A batch of transitions as it travels, little-endian:
 *
 * | byte | what |
 * |---|---|
 * | 0 | magic "RVX1" |
 * | 4 | schema version, uint16; 2 bytes 0 |
 * | 8 | session: 8 random bytes, drawn when the robot process starts |
 * | 16 | sequence number of the first transition, uint64: 0 for the first of the session |
 * | 24 | sequence number of the oldest that the sender still has, uint64 |
 * | 32 | count, observation size, action size: uint32 each |
 * | 44 | records: episode, step, flags: uint32; reward; observation, executed action, next observation: float32 |
 * | … | CRC-32 of everything before |
 */
export const EXPERIENCE_SCHEMA = 1;
const MAGIC = 'RVX1';
const HEADER_BYTES = 44;
const CRC_BYTES = 4;
/** More than any robot sends at once; a length beyond it is not believed. */
const MAX_COUNT = 4096;

export const ExperienceFlag = { terminal: 1, truncated: 2 } as const;

/** One step of a robot, as a learner needs it. */
export interface Experience {
  readonly episode: number;
  /** Counted from 0 in its episode. */
  readonly step: number;
  readonly terminal: boolean;
  readonly truncated: boolean;
  readonly reward: number;
  readonly observation: Float32Array;
  /** What the safety kernel executed. */
  readonly action: Float32Array;
  readonly nextObservation: Float32Array;
}

export interface ExperienceBatch {
  /** 16 hexadecimal digits. */
  readonly session: string;
  readonly first: number;
  readonly oldest: number;
  readonly transitions: readonly Experience[];
}

export interface ExperienceSizes {
  readonly observation: number;
  readonly action: number;
}

const recordBytes = ({ observation, action }: ExperienceSizes) => 4 * (4 + 2 * observation + action);

export function encodeExperience(batch: ExperienceBatch, sizes: ExperienceSizes): Buffer {
  const { transitions } = batch;
  const bytes = Buffer.alloc(HEADER_BYTES + transitions.length * recordBytes(sizes) + CRC_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt16LE(EXPERIENCE_SCHEMA, 4);
  bytes.write(batch.session, 8, 'hex');
  bytes.writeBigUInt64LE(BigInt(batch.first), 16);
  bytes.writeBigUInt64LE(BigInt(batch.oldest), 24);
  [transitions.length, sizes.observation, sizes.action].forEach((n, i) => {
    bytes.writeUInt32LE(n, 32 + 4 * i);
  });
  let at = HEADER_BYTES;
  const single = (value: number) => {
    at = bytes.writeFloatLE(value, at);
  };
  for (const t of transitions) {
    const flags = (t.terminal ? ExperienceFlag.terminal : 0) | (t.truncated ? ExperienceFlag.truncated : 0);
    for (const word of [t.episode, t.step, flags]) at = bytes.writeUInt32LE(word, at);
    single(t.reward);
    for (const part of [t.observation, t.action, t.nextObservation]) part.forEach(single);
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at)), at);
  return bytes;
}

/**
 * @param sizes that the receiver's task and robot have
 * @throws MalformedMessage naming what is wrong
 */
export function decodeExperience(bytes: Buffer, sizes: ExperienceSizes): ExperienceBatch {
  if (bytes.length < HEADER_BYTES + CRC_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC)
    throw new MalformedMessage(`no batch of experience (it does not start with "${MAGIC}")`);
  const schema = bytes.readUInt16LE(4);
  if (schema !== EXPERIENCE_SCHEMA)
    throw new MalformedMessage(`schema version ${schema}, expected ${EXPERIENCE_SCHEMA}`);
  const [count, observation, action] = [32, 36, 40].map((at) => bytes.readUInt32LE(at));
  if (observation !== sizes.observation || action !== sizes.action)
    throw new MalformedMessage(
      `observations of ${observation} and actions of ${action} values, expected ${sizes.observation} and ${sizes.action}`,
    );
  const length = HEADER_BYTES + count * recordBytes(sizes) + CRC_BYTES;
  if (count > MAX_COUNT || bytes.length !== length)
    throw new MalformedMessage('its length is not that of its number of transitions');
  const end = length - CRC_BYTES;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end))
    throw new MalformedMessage('damaged: its checksum does not match');
  const [first, oldest] = [16, 24].map((at) => Number(bytes.readBigUInt64LE(at)));
  if (oldest > first) throw new MalformedMessage('it begins before the oldest that its sender has');
  let at = HEADER_BYTES;
  const word = () => {
    at += 4;
    return bytes.readUInt32LE(at - 4);
  };
  const single = () => {
    at += 4;
    return bytes.readFloatLE(at - 4);
  };
  const singles = (n: number) => Float32Array.from({ length: n }, single);
  const transitions = Array.from({ length: count }, () => {
    const [episode, step, flags] = [word(), word(), word()];
    return {
      episode,
      step,
      terminal: (flags & ExperienceFlag.terminal) !== 0,
      truncated: (flags & ExperienceFlag.truncated) !== 0,
      reward: single(),
      observation: singles(observation),
      action: singles(action),
      nextObservation: singles(observation),
    };
  });
  for (const t of transitions)
    if (![t.reward, ...t.observation, ...t.action, ...t.nextObservation].every(Number.isFinite))
      throw new MalformedMessage('a number in it is not finite');
  return { session: bytes.toString('hex', 8, 16), first, oldest, transitions };
}
