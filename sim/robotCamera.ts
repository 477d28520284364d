import type { CameraSpec } from '../src/robot/cameraSpec.js';
import type { Mujoco } from './mujoco.js';
import { RayCaster } from './rayCaster.js';
import type { Simulation } from './simulation.js';

/** MuJoCo numbers bodies from the world on; the base is the first in it. */
const BASE = 1;

/** The small camera that `robot.yaml` puts on a robot, looking at the world that the robot is simulated in. */
export class RobotCamera {
  /** The newest picture, as `RobotState.image` has it. */
  readonly image: Float64Array;
  private readonly caster: RayCaster;
  private readonly body: number;
  private readonly mounting: Float64Array;
  private readonly from_m = new Float64Array(3);
  private readonly axes = new Float64Array(9);
  private readonly rgb = new Float64Array(3);

  constructor(
    mj: Mujoco,
    private readonly simulation: Simulation,
    private readonly spec: CameraSpec,
  ) {
    this.body = spec.link === undefined ? BASE : simulation.id('body', spec.link);
    this.caster = new RayCaster(mj, simulation, spec, this.body);
    this.image = new Float64Array(this.caster.pixels);
    this.mounting = rotationOf(spec.rpy_rad);
  }

  /** Takes a picture of the world as it is. */
  take(): void {
    const { simulation, spec, body, mounting, from_m, axes, caster } = this;
    const { xpos, xmat } = simulation.data;
    for (let row = 0; row < 3; row++) {
      const at = 9 * body + 3 * row;
      from_m[row] = xpos[3 * body + row];
      for (let k = 0; k < 3; k++) {
        from_m[row] += xmat[at + k] * spec.position_m[k];
        axes[3 * row + k] =
          xmat[at] * mounting[k] + xmat[at + 1] * mounting[3 + k] + xmat[at + 2] * mounting[6 + k];
      }
    }
    caster.cast(from_m, axes);
    if (spec.range_m) this.develop(...spec.range_m);
    else this.developGray();
  }

  close(): void {
    this.caster.close();
  }

  private develop(near_m: number, far_m: number): void {
    const { geom, distance_m, alongAxis } = this.caster;
    for (let p = 0; p < this.image.length; p++) {
      const nearness = 1 - (distance_m[p] * alongAxis[p] - near_m) / (far_m - near_m);
      this.image[p] = geom[p] < 0 ? 0 : Math.min(1, Math.max(0, nearness));
    }
  }

  /** Luma by the weights of ITU-R BT.601. */
  private developGray(): void {
    const { caster, rgb } = this;
    for (let p = 0; p < this.image.length; p++) {
      caster.shade(p, rgb);
      this.image[p] = (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255;
    }
  }
}

/** Row-major Rz(yaw) · Ry(pitch) · Rx(roll). */
function rotationOf([roll, pitch, yaw]: readonly [number, number, number]): Float64Array {
  const [cr, sr] = [Math.cos(roll), Math.sin(roll)];
  const [cp, sp] = [Math.cos(pitch), Math.sin(pitch)];
  const [cy, sy] = [Math.cos(yaw), Math.sin(yaw)];
  return Float64Array.of(
    ...[cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
    ...[sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
    ...[-sp, cp * sr, cp * cr],
  );
}
