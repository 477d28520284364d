import type { RobotSpec } from '../robot/spec.js';
import type { Mirror } from './task.js';

/** The joints in a left–right mirror; nothing where the robot has no such symmetry. */
export function jointMirror(spec: RobotSpec): Mirror | undefined {
  if (!spec.symmetry) return undefined;
  const index = (name: string) => spec.joints.findIndex((j) => j.name === name);
  const from = spec.joints.map((_, j) => j);
  const sign = spec.joints.map(() => 1);
  for (const { right, left, sign: s } of spec.symmetry) {
    from[index(right)] = index(left);
    from[index(left)] = index(right);
    sign[index(right)] = s;
    sign[index(left)] = s;
  }
  return { from, sign };
}

/** A mirror of quantities that stay where they are and only change sign, as components of vectors do. */
export function signs(...sign: number[]): Mirror {
  return { from: sign.map((_, i) => i), sign };
}

/** The mirror of vectors put one after another. */
export function joinMirrors(parts: readonly Mirror[]): Mirror {
  const from: number[] = [];
  const sign: number[] = [];
  for (const part of parts) {
    const start = from.length;
    from.push(...part.from.map((i) => start + i));
    sign.push(...part.sign);
  }
  return { from, sign };
}
