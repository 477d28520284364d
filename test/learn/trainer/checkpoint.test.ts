import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { Random } from '../../../src/base/random.js';
import {
  type Checkpoint,
  loadCheckpoint,
  previousCheckpoint,
  readCheckpoint,
  saveCheckpoint,
} from '../../../src/learn/trainer/checkpoint.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
  path = join(folder, 'checkpoint.bin');
});
afterEach(() => rmSync(folder, { recursive: true }));

function checkpoint(step: number): Checkpoint {
  const actor = new Float32Array(101);
  const random = new Random(step);
  random.fillNormal(actor);
  return {
    state: { step, name: 'Gehen, größer', random: random.state, best: null },
    tensors: { actor, 'critic/w': new Float32Array([Number.NaN, -0, 1e-45]), empty: new Float32Array(0) },
  };
}

describe('a checkpoint', () => {
  it('comes back bit for bit', () => {
    const saved = checkpoint(5);
    saveCheckpoint(path, saved);
    expect(readCheckpoint(path)).toEqual(saved);
    expect(loadCheckpoint(path)).toEqual({ ...saved, path });
  });

  it('accepts tensors that are views into the middle of a larger array', () => {
    const all = Float32Array.from({ length: 9 }, (_, i) => i);
    saveCheckpoint(path, { state: null, tensors: { part: all.subarray(3, 6) } });
    expect([...readCheckpoint(path).tensors.part]).toEqual([3, 4, 5]);
  });

  it('keeps the one before', () => {
    for (const step of [1, 2, 3]) saveCheckpoint(path, checkpoint(step));
    expect(readCheckpoint(path)).toEqual(checkpoint(3));
    expect(readCheckpoint(previousCheckpoint(path))).toEqual(checkpoint(2));
  });

  it('cut short anywhere is noticed, and the one before is named and loaded', () => {
    saveCheckpoint(path, checkpoint(1));
    saveCheckpoint(path, checkpoint(2));
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += 13) {
      truncateSync(path, length);
      expect(() => readCheckpoint(path)).toThrow(UserError);
      expect(() => readCheckpoint(path)).toThrow(
        `the checkpoint before it is intact: ${previousCheckpoint(path)}`,
      );
      const loaded = loadCheckpoint(path);
      expect(loaded.state).toEqual(checkpoint(1).state);
      expect(loaded.path).toBe(previousCheckpoint(path));
      expect(loaded.warning).toContain(`${path}: `);
      writeFileSync(path, whole);
    }
    truncateSync(path, whole.length - 40);
    expect(() => readCheckpoint(path)).toThrow(
      `the checkpoint is cut short: ${whole.length - 40} bytes of ${whole.length}`,
    );
  });

  it('with any flipped bit is noticed', () => {
    saveCheckpoint(path, checkpoint(1));
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 0x10;
      writeFileSync(path, damaged);
      expect(() => readCheckpoint(path)).toThrow(UserError);
    }
  });

  it('that is damaged does not displace the good one before it', () => {
    saveCheckpoint(path, checkpoint(1));
    saveCheckpoint(path, checkpoint(2));
    truncateSync(path, 50);
    saveCheckpoint(path, checkpoint(3));
    expect(readCheckpoint(path)).toEqual(checkpoint(3));
    expect(readCheckpoint(previousCheckpoint(path))).toEqual(checkpoint(1));
  });

  it('that cannot be written leaves the old one alone', () => {
    saveCheckpoint(path, checkpoint(1));
    expect(() => saveCheckpoint(path, { state: { entropy: Number.NaN }, tensors: {} })).toThrow(
      '"entropy" in the state of the checkpoint is NaN',
    );
    expect(readCheckpoint(path)).toEqual(checkpoint(1));
    expect(existsSync(previousCheckpoint(path))).toBe(false);
  });

  it('that does not exist is named, both of them', () => {
    expect(() => loadCheckpoint(path)).toThrow(`${path}: no checkpoint here (ENOENT)`);
    expect(() => loadCheckpoint(path)).toThrow(previousCheckpoint(path));
  });
});
