import { UserError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { RobotSpec } from '../robot/spec.js';
import type { Mirror, Task } from './task.js';

export const warmUpKinds = ['uniform', 'gaits'] as const;
export type WarmUpKind = (typeof warmUpKinds)[number];

/** How a robot moves before there is a policy: what the first updates learn from. */
export interface WarmUpActions {
  /** A new episode. */
  begin(): void;
  /** The next action, each component in [−1, 1]. */
  next(out: Float32Array): void;
}

/** Every action for itself, anywhere: as SAC is mostly begun. */
export class UniformActions implements WarmUpActions {
  constructor(private readonly random: Random) {}

  begin(): void {}

  next(out: Float32Array): void {
    this.random.fillUniform(out, -1, 1);
  }
}

const GAIT_S = 2;
const STRIDE_HZ = [1, 2.5] as const;
/** Keeps neighbouring actions of a gait apart, so that a critic sees what each of them does. */
const NOISE = 0.1;

/**
 * Random gaits: a sine for each joint, of one stride frequency, where half a stride later the robot is
 * its own mirror image. Every symmetric gait is among them (Hildebrand, "Symmetrical gaits of horses",
 * 1965), and legs that push in turn seldom tip a robot over: uniform actions end nearly every episode
 * in a second and teach how to fall, these move it about, some of them forward.
 */
export class GaitActions implements WarmUpActions {
  private readonly amplitude: Float64Array;
  private readonly phase_rad: Float64Array;
  private stride_hz = 0;
  private step = 0;

  /** @param mirror of the actions; joints without a partner stay where they are */
  constructor(
    private readonly mirror: Mirror,
    private readonly policy_hz: number,
    private readonly random: Random,
  ) {
    this.amplitude = new Float64Array(mirror.from.length);
    this.phase_rad = new Float64Array(mirror.from.length);
    this.begin();
  }

  begin(): void {
    const { random, amplitude, phase_rad } = this;
    const { from, sign } = this.mirror;
    this.step = 0;
    this.stride_hz = random.uniform(...STRIDE_HZ);
    from.forEach((partner, joint) => {
      if (partner <= joint) return;
      amplitude[joint] = random.uniform();
      phase_rad[joint] = random.uniform(0, 2 * Math.PI);
      amplitude[partner] = sign[partner] * amplitude[joint];
      phase_rad[partner] = phase_rad[joint] + Math.PI;
    });
  }

  next(out: Float32Array): void {
    if (this.step === Math.round(GAIT_S * this.policy_hz)) this.begin();
    const turn_rad = (2 * Math.PI * this.stride_hz * this.step++) / this.policy_hz;
    for (let j = 0; j < out.length; j++) {
      const action = this.amplitude[j] * Math.sin(turn_rad + this.phase_rad[j]);
      out[j] = Math.min(1, Math.max(-1, action + this.random.uniform(-NOISE, NOISE)));
    }
  }
}

/** @throws UserError for gaits of a robot without a left and a right */
export function warmUpActions(kind: WarmUpKind, task: Task, spec: RobotSpec, random: Random): WarmUpActions {
  if (kind === 'uniform') return new UniformActions(random);
  if (!task.mirror)
    throw new UserError(
      `warmup_actions: gaits needs a robot with a left and a right; in task ${task.name} of ${spec.name} there is no symmetry`,
    );
  return new GaitActions(task.mirror.action, spec.rates.policy_hz, random);
}
