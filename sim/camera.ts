import type { Robot } from '../src/robot/load.js';
import type { RobotSpec } from '../src/robot/spec.js';
import type { RobotState } from '../src/robot/state.js';
import { added } from './model.js';
import type { Mujoco } from './mujoco.js';
import { type Lens, RayCaster } from './rayCaster.js';
import { Simulation } from './simulation.js';

/** A camera that stands still in the world, as a launch file describes it. */
export interface CameraView extends Lens {
  readonly from_m: readonly number[];
  readonly at_m: readonly number[];
}

/** How high a floating base is drawn where nobody knows its position. */
const FALLBACK_HEIGHT_M = 0.3;

/**
 * A small picture of a simulated robot by ray casting: one ray a pixel, shaded by how much the surface
 * faces the camera. It has a world of its own, posed from what the robot reports, so that it takes
 * nothing from the physics of the robot.
 */
export class SimCamera {
  private readonly simulation: Simulation;
  private readonly spec: RobotSpec;
  private readonly caster: RayCaster;
  private readonly axes: readonly number[];
  private readonly qpos: number[];

  constructor(
    private readonly mj: Mujoco,
    robot: Robot,
    private readonly view: CameraView,
  ) {
    this.spec = robot.spec;
    this.simulation = new Simulation(mj, robot);
    const { parameters } = this.simulation;
    this.qpos = this.spec.joints.map((j) => parameters.jnt_qposadr[this.simulation.id('joint', j.name)]);
    this.caster = new RayCaster(mj, this.simulation, view);
    this.axes = axesOf(view);
  }

  /** @param base_m position of a floating base; NaN where nobody knows. @returns rows from the top, three bytes a pixel */
  render(state: RobotState, base_m: ArrayLike<number>): Uint8Array<ArrayBuffer> {
    this.pose(state, base_m);
    const { caster } = this;
    caster.cast(this.view.from_m, this.axes);
    const rgb = new Uint8Array(3 * caster.pixels);
    const colour = new Float64Array(3);
    for (let p = 0; p < caster.pixels; p++) {
      caster.shade(p, colour);
      rgb.set(colour, 3 * p);
    }
    return rgb;
  }

  close(): void {
    this.caster.close();
    this.simulation.close();
  }

  private pose(state: RobotState, base_m: ArrayLike<number>): void {
    const { simulation, spec } = this;
    const { qpos } = simulation.data;
    if (spec.base === 'floating') {
      const known = Number.isFinite(base_m[2]) && base_m[2] !== 0;
      for (let k = 0; k < 3; k++) qpos[k] = known ? base_m[k] : k === 2 ? FALLBACK_HEIGHT_M : 0;
      qpos.set(state.orientation, 3);
    }
    for (let j = 0; j < this.qpos.length; j++) qpos[this.qpos[j]] = state.position_rad[j];
    spec.objects.forEach(({ name, mass_kg }, o) => {
      if (mass_kg === undefined) return;
      const { body_jntadr, jnt_qposadr } = simulation.parameters;
      const at = jnt_qposadr[body_jntadr[simulation.id('body', added.object(name))]];
      for (let k = 0; k < 3; k++) qpos[at + k] = state.object_m[3 * o + k];
      qpos[at + 3] = 1;
    });
    this.mj.mj_kinematics(simulation.model, simulation.raw);
  }
}

/** Forward, left and up, one column each. */
function axesOf({ from_m, at_m }: CameraView): number[] {
  const forward = unit([0, 1, 2].map((k) => at_m[k] - from_m[k]));
  const left = unit(cross([0, 0, 1], forward));
  const up = cross(forward, left);
  return [0, 1, 2].flatMap((k) => [forward[k], left[k], up[k]]);
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit(v: readonly number[]): number[] {
  const length = Math.hypot(...v);
  return v.map((x) => x / length);
}
