import type { RobotSpec } from '../robot/spec.js';
import { PoseMotion } from '../safety/stop.js';
import { type Behaviour, CURVE_HZ, type Progress, type View } from './behaviour.js';

/** To the home pose, and there for a moment: a new start for what got nowhere. */
export class Stand implements Behaviour {
  readonly name = 'stand at home';
  readonly rate_hz = CURVE_HZ;
  private readonly motion: PoseMotion;

  constructor(spec: RobotSpec) {
    this.motion = new PoseMotion([
      { pose_rad: spec.joints.map((j) => j.home_rad), seconds: spec.stop.seconds },
    ]);
  }

  begin({ executed_rad, time_s }: View): void {
    this.motion.begin(executed_rad, time_s);
  }

  next({ time_s }: View, targets_rad: Float64Array): Progress {
    return this.motion.pose(time_s, targets_rad) ? 'done' : 'going';
  }
}
