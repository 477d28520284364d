import type { RobotSpec } from '../robot/spec.js';

/** What the age of a sample says of it. */
export type Freshness = 'fresh' | 'stale' | 'lost';

/**
 * A sample from the future is as suspect as an old one: a clock has jumped.
 * @param age_s NaN counts as lost
 */
export function sensorFreshness(spec: RobotSpec, age_s: number): Freshness {
  const age = Math.abs(age_s);
  if (age <= spec.watchdog.sensor_age_s) return 'fresh';
  return age <= spec.watchdog.sensor_lost_s ? 'stale' : 'lost';
}

/** Whether a wish still counts. @param lasts_s as `wishLasts_s` says */
export function isCurrent(age_s: number, lasts_s: number): boolean {
  return Math.abs(age_s) <= lasts_s;
}

/** A learner that says nothing of itself for longer counts as lost, s; it speaks every second. */
export const LEARNER_SILENCE_S = 10;

/** A tick that is this many periods late is a safety event. */
export const OVERRUN_PERIODS = 5;
