import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/files.js';

/** Messages and the bytes that ROS 2 Jazzy's own serializer made of them. */
export interface Golden {
  readonly type: string;
  readonly message: object;
  readonly cdr: Buffer;
}

export const golden: readonly Golden[] = (
  JSON.parse(readFileSync(join(packageRoot, 'test/ros/golden-cdr-jazzy.json'), 'utf8')) as {
    type: string;
    message: object;
    cdr: string;
  }[]
).map(({ type, message, cdr }) => ({ type, message, cdr: Buffer.from(cdr, 'hex') }));

export function goldenOf(type: string): Golden {
  return golden.find((g) => g.type === type)!;
}

/** Typed arrays as plain ones, so that a decoded message compares with one from JSON. */
export function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array);
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}
