import type { Offer } from './policyMessage.js';

/** One policy step, as a trial sees it. */
export interface TrialStep {
  readonly reward: number;
  /** Safety events since the step before that say something about the policy. */
  readonly safetyEvents: number;
}

export type Verdict =
  | { readonly state: 'trial' }
  | { readonly state: 'kept' }
  | { readonly state: 'rolled_back'; readonly reasons: readonly string[] };

/**
 * Is a new policy worse than the one before it, on this robot? Compares mean reward per step and
 * safety events over as many steps before and after the change.
 */
export class Trial {
  /** Newest steps under the policy in use. */
  private readonly window: TrialStep[] = [];
  private trial: { rules: Offer['trial']; before: TrialStep[] } | undefined;

  constructor(
    private readonly policy_hz: number,
    /** Longest trial whose counterpart is remembered. */
    private readonly memory_s = 120,
  ) {}

  /** The policy has just changed. */
  begin(rules: Offer['trial']): void {
    const before = this.window.splice(0);
    this.trial = { rules, before: before.slice(-this.stepsOf(rules)) };
  }

  end(): void {
    this.trial = undefined;
    this.window.length = 0;
  }

  private stepsOf({ seconds }: Offer['trial']): number {
    return Math.max(1, Math.round(Math.min(seconds, this.memory_s) * this.policy_hz));
  }

  /** @returns undefined where no trial goes on */
  see(step: TrialStep): Verdict | undefined {
    this.window.push(step);
    if (this.window.length > this.memory_s * this.policy_hz) this.window.shift();
    if (!this.trial) return undefined;
    const { rules, before } = this.trial;
    const events = sum(this.window.map((s) => s.safetyEvents));
    const eventsBefore = sum(before.map((s) => s.safetyEvents));
    if (events > eventsBefore + rules.safety_events)
      return this.rollBack(`${events} safety events, ${eventsBefore} in ${before.length} steps before`);
    const steps = this.stepsOf(rules);
    if (this.window.length < steps) return { state: 'trial' };
    const mean = (of: readonly TrialStep[]) => sum(of.map((s) => s.reward)) / of.length;
    const [now, then] = [mean(this.window.slice(-steps)), mean(before)];
    // Half of the steps have to be there for a comparison.
    if (before.length >= steps / 2 && now < then - rules.tolerance * Math.abs(then))
      return this.rollBack(`mean reward ${now.toFixed(3)} a step, ${then.toFixed(3)} before`);
    this.trial = undefined;
    return { state: 'kept' };
  }

  private rollBack(reason: string): Verdict {
    this.end();
    return { state: 'rolled_back', reasons: [reason] };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
