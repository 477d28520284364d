import type { DoubleBuffer, MjData, MjModel } from '@mujoco/mujoco';
import type { Robot } from '../src/robot/load.js';
import { compileModel } from './model.js';
import type { Mujoco } from './mujoco.js';

/** Physics left the range where its numbers mean anything: the episode is over and its last step worthless. */
export class SimulationDiverged extends Error {
  override readonly name = 'SimulationDiverged';
}

/** The arrays of MuJoCo's data and model that this project reads and writes, as zero-copy views. */
const dataViews = [
  'qpos',
  'qvel',
  'ctrl',
  'qfrc_actuator',
  'actuator_force',
  'sensordata',
  'xfrc_applied',
  'xpos',
  'xmat',
  'site_xpos',
  'geom_xpos',
  'geom_xmat',
  'cvel',
  'subtree_com',
] as const;
const modelViews = [
  'actuator_gainprm',
  'actuator_biasprm',
  'actuator_forcerange',
  'geom_friction',
  'body_mass',
  'body_ipos',
  'dof_armature',
  'dof_damping',
  'dof_frictionloss',
  'jnt_qposadr',
  'jnt_dofadr',
  'body_jntadr',
  'sensor_adr',
  'geom_bodyid',
  'geom_size',
  'geom_type',
  'geom_rgba',
  'geom_rbound',
] as const;

type Views<Names extends readonly string[]> = { readonly [K in Names[number]]: Float64Array };

/**
 * One robot's world: a model and its data. Views are cached, since asking MuJoCo for one costs a
 * hundred times what using it does; they detach silently when the heap grows, so each step looks
 * whether they still hold and takes them anew where not.
 */
export class Simulation {
  readonly model: MjModel;
  /** Seconds of one physics step. */
  readonly timestep_s: number;
  /** MuJoCo's own data, for what has no view here. */
  readonly raw: MjData;
  private readonly stateBuffer: DoubleBuffer;
  private readonly nWarnings: number;
  private d!: Views<typeof dataViews>;
  private m!: Views<typeof modelViews>;

  constructor(
    private readonly mj: Mujoco,
    robot: Robot,
  ) {
    this.model = compileModel(mj, robot);
    this.raw = new mj.MjData(this.model);
    this.timestep_s = this.model.opt.timestep;
    this.stateBuffer = new mj.DoubleBuffer(mj.mj_stateSize(this.model, this.stateSpec));
    this.nWarnings = this.raw.warning.size();
    this.takeViews();
  }

  /** Views of MuJoCo's data; ask again after each `step`. */
  get data(): Views<typeof dataViews> {
    if (this.d.qpos.length === 0) this.takeViews();
    return this.d;
  }

  /** Views of MuJoCo's model; what is written takes effect at the next step. */
  get parameters(): Views<typeof modelViews> {
    if (this.m.geom_friction.length === 0) this.takeViews();
    return this.m;
  }

  get time_s(): number {
    return this.raw.time;
  }

  step(): void {
    this.mj.mj_step(this.model, this.raw);
  }

  /** Back to the model's initial state at time zero. */
  reset(): void {
    this.mj.mj_resetData(this.model, this.raw);
  }

  /** Recomputes everything that follows from positions and velocities, without moving on. */
  forward(): void {
    this.mj.mj_forward(this.model, this.raw);
  }

  /** Recomputes constants after masses or inertias were written. It moves the data to the initial pose: reset afterwards. */
  updateConstants(): void {
    this.mj.mj_setConst(this.model, this.raw);
  }

  /**
   * MuJoCo resets a simulation that went wrong and goes on without a word; its warning counters are
   * the only trace. Called once per control step.
   * @throws SimulationDiverged naming the warning
   */
  checkWarnings(): void {
    const warnings = this.raw.warning;
    for (let w = 0; w < this.nWarnings; w++) {
      const warning = warnings.get(w)!;
      if (warning.number > 0) {
        const kind = Object.keys(this.mj.mjtWarning)[w];
        throw new SimulationDiverged(`MuJoCo warned ${kind} at ${this.time_s.toFixed(3)} s`);
      }
    }
  }

  /** Index of a named thing. @throws Error when the model has none of that name */
  id(kind: 'body' | 'joint' | 'geom' | 'site' | 'sensor' | 'actuator', name: string): number {
    const { mjtObj } = this.mj;
    const type = {
      body: mjtObj.mjOBJ_BODY,
      joint: mjtObj.mjOBJ_JOINT,
      geom: mjtObj.mjOBJ_GEOM,
      site: mjtObj.mjOBJ_SITE,
      sensor: mjtObj.mjOBJ_SENSOR,
      actuator: mjtObj.mjOBJ_ACTUATOR,
    }[kind];
    const id = this.mj.mj_name2id(this.model, type.value, name);
    if (id < 0) throw new Error(`the model has no ${kind} "${name}"`);
    return id;
  }

  /** The whole state, such that `restore` continues bit for bit. */
  snapshot(): Float64Array {
    this.mj.mj_getState(this.model, this.raw, this.stateBuffer, this.stateSpec);
    return Float64Array.from(this.stateBuffer.GetView() as Float64Array);
  }

  restore(state: Float64Array): void {
    this.mj.mj_setState(this.model, this.raw, state as unknown as number[], this.stateSpec);
    this.forward();
    // forward() wrote new warm-start accelerations: put back those that the snapshot holds.
    this.mj.mj_setState(this.model, this.raw, state as unknown as number[], this.stateSpec);
  }

  /** Frees MuJoCo's memory; the simulation cannot be used afterwards. */
  close(): void {
    this.stateBuffer.delete();
    this.raw.delete();
    this.model.delete();
  }

  private get stateSpec(): number {
    return this.mj.mjtState.mjSTATE_INTEGRATION.value;
  }

  private takeViews(): void {
    const take = (from: MjData | MjModel, names: readonly string[]) =>
      Object.fromEntries(names.map((n) => [n, (from as unknown as Record<string, Float64Array>)[n]]));
    this.d = take(this.raw, dataViews) as Views<typeof dataViews>;
    this.m = take(this.model, modelViews) as Views<typeof modelViews>;
  }
}

/** MuJoCo's geom types by their code. */
const Geom = { sphere: 2, capsule: 3, cylinder: 5, box: 6 } as const;

/** Height of the lowest point of everything but the ground, m; meshes count as the spheres around them. */
export function lowestPoint_m({ data, parameters }: Simulation): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let g = 0; g < parameters.geom_type.length; g++) {
    if (parameters.geom_type[g] < Geom.sphere) continue;
    lowest = Math.min(lowest, data.geom_xpos[3 * g + 2] - depth_m(data, parameters, g));
  }
  return lowest;
}

/** How far a shape reaches down from its middle. */
function depth_m({ geom_xmat }: Views<typeof dataViews>, p: Views<typeof modelViews>, g: number): number {
  const [a, b, c] = p.geom_size.subarray(3 * g, 3 * g + 3);
  const [x, y, z] = geom_xmat.subarray(9 * g + 6, 9 * g + 9).map(Math.abs);
  switch (p.geom_type[g]) {
    case Geom.sphere:
      return a;
    case Geom.capsule:
      return a + z * b;
    case Geom.cylinder:
      return a * Math.hypot(x, y) + z * b;
    case Geom.box:
      return x * a + y * b + z * c;
    default:
      return p.geom_rbound[g];
  }
}
