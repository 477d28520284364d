import { existsSync, readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import type { Tool } from '../../drivers/tools/tool.js';
import { UserError } from '../base/errors.js';
import { writeFileAtomic } from '../base/files.js';
import type { DriveBusSpec, JointDrive } from '../robot/busSpec.js';
import type { JointSpec } from '../robot/spec.js';

export interface JointOnBus {
  readonly joint: JointSpec;
  readonly map: JointDrive;
}

/** A step: what the person is asked for, and which joints' shafts are recorded then. */
export interface Step {
  readonly name: string;
  readonly ask: string;
  readonly joints: readonly JointOnBus[];
}

const stateSchema = z.strictObject({
  schema: z.literal(1),
  bus: z.string(),
  at: z.enum(['home', 'zero']),
  ids: z.record(z.string(), z.int()).describe('of the drives that it is about'),
  recorded: z.record(z.string(), z.record(z.string(), z.number())).describe('shafts, rad, by step and joint'),
});
type State = z.output<typeof stateSchema>;

/** What was recorded so far, in a file beside robot.yaml, so that a calibration goes on where it was. */
export class Progress {
  private readonly state: State;

  constructor(
    private readonly path: string,
    bus: DriveBusSpec,
    { at, fresh }: { readonly at: State['at']; readonly fresh?: true },
    joints: readonly JointOnBus[],
  ) {
    const ids = Object.fromEntries(joints.map(({ joint, map }) => [joint.name, map.id]));
    this.state = { schema: 1, bus: bus.name, at, ids, recorded: {} };
    const before = fresh ? undefined : read(path);
    if (!before) return;
    const same =
      before.bus === bus.name && before.at === at && JSON.stringify(before.ids) === JSON.stringify(ids);
    if (!same) throw new UserError(`${path}: was recorded for another bus, pose or ids; --fresh begins anew`);
    this.state = before;
  }

  get begun(): boolean {
    return Object.keys(this.state.recorded).length > 0;
  }

  next(steps: readonly Step[]): Step | undefined {
    return steps.find(({ name }) => !(name in this.state.recorded));
  }

  of(step: string, joint: string): number {
    return this.state.recorded[step][joint];
  }

  record(step: string, shafts_rad: Readonly<Record<string, number>>): void {
    this.state.recorded[step] = { ...shafts_rad };
    this.save();
  }

  forget(step: string): void {
    delete this.state.recorded[step];
    this.save();
  }

  clear(): void {
    rmSync(this.path, { force: true });
  }

  private save(): void {
    writeFileAtomic(this.path, JSON.stringify(this.state));
  }
}

function read(path: string): State | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const state = stateSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (state.success) return state.data;
  } catch {}
  throw new UserError(`${path}: no record of a calibration; --fresh begins anew`);
}

/** Looks at the shafts of a step while a person moves them. */
export class Look {
  private readonly last = new Map<string, number>();
  private silent: JointOnBus | undefined;

  constructor(
    private readonly tool: Tool,
    private readonly step: Step,
  ) {}

  /** @throws UserError where an encoder passes its end, so that its positions mean nothing */
  async again(): Promise<void> {
    const { joints } = this.step;
    const measured = await this.tool.measure(joints.map(({ map }) => map.id));
    this.silent = joints.find(({ map }) => !measured.has(map.id));
    for (const { joint, map } of joints) {
      const now = measured.get(map.id)?.position_rad;
      if (now === undefined) continue;
      const before = this.last.get(joint.name);
      if (before !== undefined && Math.abs(now - before) > Math.PI * Math.min(1, map.gear_ratio))
        throw new UserError(
          `${this.tool.port}, id ${map.id} (${joint.name}): its encoder passes its end within the joint's way; mount the horn so that the middle of the way is the middle of the encoder`,
        );
      this.last.set(joint.name, now);
    }
  }

  /** @throws UserError where one of them was silent */
  shafts_rad(): Record<string, number> {
    if (this.silent)
      throw new UserError(
        `${this.tool.port}, id ${this.silent.map.id} (${this.silent.joint.name}): fell silent; check its cable. The same command goes on here`,
      );
    return Object.fromEntries(this.last);
  }
}
