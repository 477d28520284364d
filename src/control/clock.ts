import { performance } from 'node:perf_hooks';

/**
 * The robot's clock: seconds on the system's monotonic clock, the same in every thread and process of
 * one machine. `performance.now()` counts from the start of its own thread and `process.hrtime()`
 * allocates; so their difference is taken once and the cheap one is read.
 */
const offset_s = (() => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds + 1e-9 * nanoseconds - 1e-3 * performance.now();
})();

export function now_s(): number {
  return offset_s + 1e-3 * performance.now();
}

/** Nobody ever wakes who waits on this: only the time-out ends the wait. */
const never = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread until a moment on the robot's clock; at once when it has passed. Workers only. */
export function sleepUntil(time_s: number): void {
  const left_ms = 1e3 * (time_s - now_s());
  if (left_ms > 0) Atomics.wait(never, 0, 0, left_ms);
}

/**
 * Deadlines on an absolute grid: every thread that keeps the same rate shares the grid, each at its
 * own phase, so that one thread's lateness never shifts its next deadline or anybody else's.
 */
export class RateKeeper {
  /** Deadline of the next tick. */
  deadline_s: number;
  /** Ticks that were so late that the next deadline had come as well; they are not made up for. */
  missed = 0;
  private readonly period_s: number;

  /** @param phase where in the period the deadline lies, [0, 1) */
  constructor(rate_hz: number, phase: number) {
    this.period_s = 1 / rate_hz;
    this.deadline_s = (Math.ceil(now_s() / this.period_s) + phase) * this.period_s;
  }

  /** Waits for the deadline and sets the next. @returns lateness in seconds, and counts what was missed */
  wait(): number {
    sleepUntil(this.deadline_s);
    const late_s = now_s() - this.deadline_s;
    const skipped = Math.max(0, Math.floor(late_s / this.period_s));
    this.missed += skipped;
    this.deadline_s += (1 + skipped) * this.period_s;
    return late_s;
  }
}
