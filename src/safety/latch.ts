import type { Cause } from './events.js';

/** Keeps the first cause of a stop that only the operator ends. */
export class Latch {
  private held: Cause | undefined;

  get cause(): Cause | undefined {
    return this.held;
  }

  /** An emergency stop outranks whatever latched before it. */
  set(cause: Cause): void {
    if (this.held === undefined || cause === 'emergency_stop') this.held = cause;
  }

  /** The operator's explicit word. */
  reset(): void {
    this.held = undefined;
  }
}
