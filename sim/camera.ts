import type { Robot } from '../src/robot/load.js';
import type { RobotSpec } from '../src/robot/spec.js';
import type { RobotState } from '../src/robot/state.js';
import { added } from './model.js';
import type { Mujoco } from './mujoco.js';
import { Simulation } from './simulation.js';

/** A camera that stands still in the world, as a launch file describes it. */
export interface CameraView {
  readonly width: number;
  readonly height: number;
  readonly from_m: readonly number[];
  readonly at_m: readonly number[];
  /** Vertical angle of view. */
  readonly fov_rad: number;
}

type Vector = readonly [number, number, number];

const SKY: Vector = [150, 180, 205];
/** Side of the squares on the floor. */
const TILE_M = 0.1;
const AMBIENT = 0.35;
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
  private readonly rays: number[];
  private readonly geom;
  private readonly distance;
  private readonly normal;
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
    const pixels = view.width * view.height;
    this.rays = raysOf(view);
    this.geom = new mj.IntBuffer(pixels);
    this.distance = new mj.DoubleBuffer(pixels);
    this.normal = new mj.DoubleBuffer(3 * pixels);
  }

  /** @param base_m position of a floating base; NaN where nobody knows. @returns rows from the top, three bytes a pixel */
  render(state: RobotState, base_m: ArrayLike<number>): Uint8Array<ArrayBuffer> {
    this.pose(state, base_m);
    const { mj, view, rays, geom, distance, normal } = this;
    const { model, raw } = this.simulation;
    const pixels = view.width * view.height;
    mj.mj_multiRay(
      model,
      raw,
      [...view.from_m],
      rays,
      [1, 1, 1, 0, 0, 0],
      true,
      -1,
      geom,
      distance,
      normal,
      pixels,
      1e10,
    );
    return this.shade(
      geom.GetView() as Int32Array,
      distance.GetView() as Float64Array,
      normal.GetView() as Float64Array,
    );
  }

  close(): void {
    for (const buffer of [this.geom, this.distance, this.normal]) buffer.delete();
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

  private shade(geom: Int32Array, distance: Float64Array, normal: Float64Array): Uint8Array<ArrayBuffer> {
    const { rays, simulation, view } = this;
    const { geom_rgba } = simulation.parameters;
    const floor = simulation.id('geom', added.floor);
    const rgb = new Uint8Array(3 * geom.length);
    for (let p = 0; p < geom.length; p++) {
      const g = geom[p];
      const at = (k: number) => view.from_m[k] + distance[p] * rays[3 * p + k];
      const facing = Math.abs(
        normal[3 * p] * rays[3 * p] +
          normal[3 * p + 1] * rays[3 * p + 1] +
          normal[3 * p + 2] * rays[3 * p + 2],
      );
      const light = AMBIENT + (1 - AMBIENT) * facing;
      const tile = (Math.floor(at(0) / TILE_M) + Math.floor(at(1) / TILE_M)) & 1;
      for (let k = 0; k < 3; k++) {
        const own = g === floor ? (tile ? 0.45 : 0.6) : geom_rgba[4 * g + k];
        rgb[3 * p + k] = g < 0 ? SKY[k] : Math.min(255, 255 * light * own);
      }
    }
    return rgb;
  }
}

/** Unit vectors through the middle of each pixel, rows from the top. */
function raysOf({ width, height, from_m, at_m, fov_rad }: CameraView): number[] {
  const forward = unit([0, 1, 2].map((k) => at_m[k] - from_m[k]));
  const right = unit(cross(forward, [0, 0, 1]));
  const up = cross(right, forward);
  const scale = Math.tan(fov_rad / 2) / (height / 2);
  const rays: number[] = [];
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const x = scale * (column + 0.5 - width / 2);
      const y = scale * (height / 2 - row - 0.5);
      rays.push(...unit([0, 1, 2].map((k) => forward[k] + x * right[k] + y * up[k])));
    }
  return rays;
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit(v: readonly number[]): number[] {
  const length = Math.hypot(...v);
  return v.map((x) => x / length);
}
