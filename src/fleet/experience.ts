import { crc32 } from 'node:zlib';
import type { Experience } from '../robot/experience.js';
import { MalformedMessage } from './refusals.js';

/**
 * A batch of transitions as it travels, little-endian:
 *
 * | byte | what |
 * |---|---|
 * | 0 | magic "RVX1" |
 * | 4 | schema version, uint16; 2 bytes 0 |
 * | 8 | spool: 8 random bytes, drawn when the robot's spool was made |
 * | 16 | life of the spool, uint32: counted up whenever a robot process opens it |
 * | 20 | count, observation size, action size: uint32 each |
 * | 32 | sequence number of the first transition, uint64: 0 for the first of the life |
 * | 40 | sequence number of the oldest of the life that the sender still has, uint64 |
 * | 48 | CRC-32 of the 48 bytes before |
 * | 52 | records |
 *
 * A record is the same in the robot's spool: episode, step, flags: uint32; reward, observation,
 * executed action, next observation: float32; CRC-32 of everything before in the record.
 */
export const EXPERIENCE_SCHEMA = 1;
const MAGIC = 'RVX1';
const HEADER_BYTES = 52;
const CRC_BYTES = 4;
/** A robot sends fewer at once; a number beyond it is not believed. */
const MAX_COUNT = 4096;
const RECORD_SCALARS = 4;

const Flag = { terminal: 1, truncated: 2, person: 4 } as const;

export interface ExperienceSizes {
  readonly observation: number;
  readonly action: number;
}

/** Where a batch stands in its sender's sequence. */
export interface BatchHeader {
  /** 16 hexadecimal digits. */
  readonly spool: string;
  readonly life: number;
  readonly first: number;
  readonly oldest: number;
}

export interface ExperienceBatch extends BatchHeader {
  readonly transitions: readonly Experience[];
}

export function recordBytes({ observation, action }: ExperienceSizes): number {
  return 4 * (RECORD_SCALARS + 2 * observation + action) + CRC_BYTES;
}

/** @returns false, and nothing written, where a number is not finite as float32 */
export function writeRecord(t: Experience, sizes: ExperienceSizes, into: Buffer): boolean {
  const flags =
    (t.terminal ? Flag.terminal : 0) | (t.truncated ? Flag.truncated : 0) | (t.person ? Flag.person : 0);
  let at = 0;
  for (const word of [t.episode, t.step, flags]) at = into.writeUInt32LE(word, at);
  if (!Number.isFinite(Math.fround(t.reward))) return false;
  at = into.writeFloatLE(t.reward, at);
  for (const part of [t.observation, t.action, t.nextObservation])
    for (const value of part) {
      if (!Number.isFinite(value)) return false;
      at = into.writeFloatLE(value, at);
    }
  if (at !== recordBytes(sizes) - CRC_BYTES) throw new RangeError('a transition of other sizes than said');
  into.writeUInt32LE(crc32(into.subarray(0, at)), at);
  return true;
}

export function isIntact(record: Buffer): boolean {
  const end = record.length - CRC_BYTES;
  return crc32(record.subarray(0, end)) === record.readUInt32LE(end);
}

/** @param records whole records, one after the other */
export function encodeBatch(header: BatchHeader, records: Buffer, sizes: ExperienceSizes): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + records.length);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt16LE(EXPERIENCE_SCHEMA, 4);
  bytes.write(header.spool, 8, 'hex');
  const count = records.length / recordBytes(sizes);
  [header.life, count, sizes.observation, sizes.action].forEach((n, i) => {
    bytes.writeUInt32LE(n, 16 + 4 * i);
  });
  bytes.writeBigUInt64LE(BigInt(header.first), 32);
  bytes.writeBigUInt64LE(BigInt(header.oldest), 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 48)), 48);
  bytes.set(records, HEADER_BYTES);
  return bytes;
}

/**
 * @param sizes that the receiver's task and robot have
 * @throws MalformedMessage naming what is wrong
 */
export function decodeBatch(bytes: Buffer, sizes: ExperienceSizes): ExperienceBatch {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC)
    throw new MalformedMessage(`no batch of experience (it does not start with "${MAGIC}")`);
  const schema = bytes.readUInt16LE(4);
  if (schema !== EXPERIENCE_SCHEMA)
    throw new MalformedMessage(`schema version ${schema}, expected ${EXPERIENCE_SCHEMA}`);
  if (crc32(bytes.subarray(0, 48)) !== bytes.readUInt32LE(48))
    throw new MalformedMessage('damaged: the checksum of its header does not match');
  const [life, count, observation, action] = [16, 20, 24, 28].map((at) => bytes.readUInt32LE(at));
  if (observation !== sizes.observation || action !== sizes.action)
    throw new MalformedMessage(
      `observations of ${observation} and actions of ${action} values, expected ${sizes.observation} and ${sizes.action}`,
    );
  if (count > MAX_COUNT) throw new MalformedMessage(`oversized: more than ${MAX_COUNT} transitions`);
  if (bytes.length !== HEADER_BYTES + count * recordBytes(sizes))
    throw new MalformedMessage('its length is not that of its number of transitions');
  const [first, oldest] = [32, 40].map((at) => Number(bytes.readBigUInt64LE(at)));
  if (oldest > first) throw new MalformedMessage('it begins before the oldest that its sender has');
  return {
    spool: bytes.toString('hex', 8, 16),
    life,
    first,
    oldest,
    transitions: decodeRecords(bytes.subarray(HEADER_BYTES), sizes),
  };
}

/** The vectors of all transitions are views of one copy. */
function decodeRecords(bytes: Buffer, sizes: ExperienceSizes): Experience[] {
  const size = recordBytes(sizes);
  const { observation, action } = sizes;
  const floats = new Float32Array(Uint8Array.from(bytes).buffer);
  const transitions: Experience[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    if (!isIntact(bytes.subarray(start, start + size)))
      throw new MalformedMessage('damaged: the checksum of a transition does not match');
    let at = start / 4 + RECORD_SCALARS;
    for (let i = at - 1; i < (start + size - CRC_BYTES) / 4; i++)
      if (!Number.isFinite(floats[i])) throw new MalformedMessage('a number in it is not finite');
    const vector = (n: number) => {
      at += n;
      return floats.subarray(at - n, at);
    };
    const flags = bytes.readUInt32LE(start + 8);
    transitions.push({
      episode: bytes.readUInt32LE(start),
      step: bytes.readUInt32LE(start + 4),
      terminal: (flags & Flag.terminal) !== 0,
      truncated: (flags & Flag.truncated) !== 0,
      person: (flags & Flag.person) !== 0,
      reward: floats[start / 4 + 3],
      observation: vector(observation),
      action: vector(action),
      nextObservation: vector(observation),
    });
  }
  return transitions;
}
