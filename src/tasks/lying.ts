import type { Random } from '../base/random.js';
import type { RobotSpec } from '../robot/spec.js';
import type { LyingPose } from './task.js';

/** Joints of a robot that lies at random are drawn from this share of their range. */
const RANGE_SHARE = 0.8;

/** On the back, on a side or prone, in equal shares, and turned a little; legs folded in half of the cases. */
export function drawLying(spec: RobotSpec, random: Random): LyingPose {
  const roll_rad = [Math.PI, Math.PI / 2, -Math.PI / 2, 0][random.integer(4)] + random.uniform(-0.4, 0.4);
  const pitch_rad = random.uniform(-0.3, 0.3);
  const folded = random.uniform() < 0.5;
  const position_rad = spec.joints.map(({ position_rad: [low, high] }, j) => {
    const drawn = (low + high) / 2 + RANGE_SHARE * random.uniform(-0.5, 0.5) * (high - low);
    return folded ? spec.stop.pose_rad[j] : drawn;
  });
  const [cr, sr, cp, sp] = [roll_rad / 2, pitch_rad / 2].flatMap((half) => [Math.cos(half), Math.sin(half)]);
  return { orientation: [cr * cp, sr * cp, cr * sp, -sr * sp], position_rad };
}
