import type { MjData, MjModel } from '@mujoco/mujoco';
import type { Mujoco } from '../../sim/mujoco.js';

const views = ['qpos', 'qvel', 'ctrl', 'xmat', 'xpos', 'sensordata'] as const;
type Views = { readonly [K in (typeof views)[number]]: Float64Array };

/** A small model and its data, as MuJoCo has them. */
export class World {
  readonly model: MjModel;
  private readonly raw: MjData;
  private taken!: Views;

  /** @param mjcf a whole model */
  constructor(
    private readonly mj: Mujoco,
    mjcf: string,
  ) {
    const files = new mj.MjVFS();
    const description = mj.parseXMLString(mjcf, files);
    description.memory = 1024 * 1024; // a fixed arena: the heap, and so every view, stays put
    this.model = mj.mj_compile(description, files);
    description.delete();
    files.delete();
    this.raw = new mj.MjData(this.model);
    this.take();
  }

  /** Views of MuJoCo's data; ask again after each step. */
  get data(): Views {
    if (this.taken.qpos.length === 0) this.take();
    return this.taken;
  }

  /** @throws Error where the model has no body of that name */
  body(name: string): number {
    const id = this.mj.mj_name2id(this.model, this.mj.mjtObj.mjOBJ_BODY.value, name);
    if (id < 0) throw new Error(`the model has no body "${name}"`);
    return id;
  }

  step(times: number): void {
    for (let i = 0; i < times; i++) this.mj.mj_step(this.model, this.raw);
  }

  /** Back to the model's own pose at rest. */
  reset(): void {
    this.mj.mj_resetData(this.model, this.raw);
  }

  /** Recomputes what follows from positions and velocities. */
  forward(): void {
    this.mj.mj_forward(this.model, this.raw);
  }

  close(): void {
    this.raw.delete();
    this.model.delete();
  }

  private take(): void {
    const from = this.raw as unknown as Record<string, Float64Array>;
    this.taken = Object.fromEntries(views.map((name) => [name, from[name]])) as Views;
  }
}
