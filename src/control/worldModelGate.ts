import type { Policy } from '../policy/policy.js';

/** What a launch file asks of the gate. */
export interface GateOptions {
  /** Share of training steps that were less surprising than the limit; one of those that the policy's bundle has. */
  readonly quantile: number;
  /** `slow`: targets move by less while it lasts; `stop`: the robot comes to a controlled stop. */
  readonly response: 'slow' | 'stop';
}

/** Surprising steps in a row that count: one may be a bump. */
const IN_A_ROW = 3;
/** Share of the way to its target that a slowed robot is let go in a step. */
export const SLOWED_SHARE = 0.3;

/**
 * The world model's own surprise as a safety signal: where what is sensed is hardly what the policy's model
 * expected, the policy is where it was not trained, and what it does there is a guess. It can only slow or stop,
 * and a policy that knows nothing of surprise passes unseen.
 */
export class WorldModelGate {
  /** Which of the signals is over its limit, with both; set while the gate is shut. */
  readonly over = { value: 0, limit: 0 };
  private inARow = 0;

  constructor(readonly options: GateOptions) {}

  /** After each act. @returns whether the policy is out of what it knows */
  isShut(policy: Policy): boolean {
    const { surprise } = policy;
    const limits = surprise?.limits(this.options.quantile);
    if (!surprise || !limits) return false;
    let worst = -1;
    for (let i = 0; i < limits.length; i++) {
      // Not `>`: what is not a number is as surprising as can be.
      if (!(surprise.values[i] <= limits[i])) worst = i;
    }
    this.inARow = worst < 0 ? 0 : this.inARow + 1;
    if (this.inARow < IN_A_ROW) return false;
    this.over.value = surprise.values[worst];
    this.over.limit = limits[worst];
    return true;
  }

  reset(): void {
    this.inARow = 0;
  }
}
