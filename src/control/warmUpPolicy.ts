import type { Policy } from '../policy/policy.js';
import type { WarmUpActions } from '../tasks/warmUpActions.js';

/** Moves a robot that learns from nothing, until a learner's first policy comes. It sees nothing. */
export class WarmUpPolicy implements Policy {
  constructor(
    readonly observationSize: number,
    readonly actionSize: number,
    private readonly actions: WarmUpActions,
  ) {}

  act(_observation: Float32Array, action: Float32Array): void {
    this.actions.next(action);
  }

  reset(): void {
    this.actions.begin();
  }
}
