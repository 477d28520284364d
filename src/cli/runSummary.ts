import type { RobotProcess } from '../control/robotProcess.js';
import type { FleetLink } from './fleetLink.js';
import type { Watch } from './watch.js';

/** What a run ends with under `--json`. */
export interface RunSummary {
  readonly robot: string;
  /** Name of the policy that it started with. */
  readonly policy: string | null;
  readonly seconds: number;
  /** Net displacement along each episode's starting heading, summed; null for a fixed base. */
  readonly distance_m: number | null;
  readonly mean_speed_mps: number | null;
  readonly falls: number;
  readonly safety_events: number;
  readonly ticks: number;
  readonly missed_ticks: number;
  readonly late_p999_ms: number;
  readonly learner_updates: number;
  /** Policy steps that a learner can learn from. */
  readonly transitions: number;
  readonly train: null;
}

/** @param policy name of the one that it started with */
export function summarise(
  robot: RobotProcess,
  watch: Watch,
  fleet: FleetLink,
  policy: string | undefined,
  spent_s: number,
): RunSummary {
  const { spec } = robot.options;
  const s = robot.status();
  const distance_m = spec.base === 'fixed' ? null : watch.odometer.distance_m;
  return {
    robot: spec.name,
    policy: policy ?? null,
    seconds: round(spent_s),
    distance_m: distance_m === null ? null : round(distance_m),
    mean_speed_mps: distance_m === null ? null : round(distance_m / spent_s),
    falls: s.falls,
    safety_events: s.safety_events,
    ticks: s.ticks,
    missed_ticks: s.missed_ticks,
    late_p999_ms: round(s.late_p999_ms),
    learner_updates: fleet.learner?.updates ?? 0,
    transitions: fleet.spool.added,
    train: null,
  };
}

function round(x: number): number {
  return Number(x.toFixed(3));
}
