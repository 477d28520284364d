/** The robot's clock, as `src/control/clock.ts` has it. */
export function now_s(): number {
  return Number(process.hrtime.bigint()) * 1e-9;
}

/** Deadlines on the event loop at a fixed rate; those that were missed are not made up for. */
export class Pace {
  private deadline_s = now_s();
  private readonly period_s: number;

  constructor(rate_hz: number) {
    this.period_s = 1 / rate_hz;
  }

  async wait(): Promise<void> {
    this.deadline_s = Math.max(this.deadline_s + this.period_s, now_s());
    const left_ms = 1e3 * (this.deadline_s - now_s());
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, left_ms)));
  }
}
