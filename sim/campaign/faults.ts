import type { Random } from '../../src/base/random.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import type { RobotState } from '../../src/robot/state.js';
import type { Cause } from '../../src/safety/events.js';

/** What a campaign breaks, within one process. */
export const faultKinds = [
  'sensor_nan',
  'sensor_freeze',
  'sensor_jump',
  'sensor_range',
  'sensor_delay',
  'sensor_dropout',
  'command_nan',
  'command_step',
  'command_flood',
  'command_silence',
  'clock_jump',
  'loop_stall',
  'over_temperature',
  'under_voltage',
  'push',
  'topple',
  'joint_blocked',
  'outside_fence',
  'emergency_stop',
  'stop_request',
  'foreign_policy',
  'lead_out',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One fault: what, where, how much and for how long. */
export interface Fault {
  readonly kind: FaultKind;
  readonly joint: number;
  /** Place in `RobotState.flat`, after its time and voltage. */
  readonly field: number;
  /** [0, 1): how bad. */
  readonly severity: number;
  readonly seconds: number;
}

/** What the safety log has to say of a fault that stops the robot: one of these. */
export const toldAs: Readonly<Partial<Record<FaultKind, readonly Cause[]>>> = {
  sensor_nan: ['sensor_invalid'],
  sensor_jump: ['sensor_jump', 'sensor_range'],
  sensor_range: ['sensor_range'],
  clock_jump: ['sensor_lost'],
  over_temperature: ['overheated'],
  under_voltage: ['supply_low'],
  outside_fence: ['geofence'],
  emergency_stop: ['emergency_stop'],
  stop_request: ['stop_requested'],
  // A robot that falls while a person stands it in the middle of a stride has no wish left to run out.
  command_silence: ['deadman', 'fall'],
};

/** Stops that know gravity: torque stays until the robot is where it can do without. */
export const gentle: ReadonlySet<FaultKind> = new Set([
  'over_temperature',
  'under_voltage',
  'outside_fence',
  'stop_request',
]);

export function drawFault(spec: RobotSpec, state: RobotState, random: Random): Fault {
  const kinds = faultKinds.filter(
    (kind) => spec.base === 'floating' || !['push', 'topple', 'outside_fence'].includes(kind),
  );
  return {
    kind: kinds[Math.floor(random.uniform(0, kinds.length))],
    joint: Math.floor(random.uniform(0, spec.joints.length)),
    field: 2 + Math.floor(random.uniform(0, state.flat.length - 2)),
    severity: random.uniform(0, 1),
    seconds: random.uniform(0.05, 0.5),
  };
}

/**
 * Spoils a sample the way that a fault does.
 * @param sample what the sensors say, changed in place
 * @param before the sample as the fault began
 */
export function spoil(fault: Fault, spec: RobotSpec, sample: RobotState, before: RobotState): void {
  const { joint, severity } = fault;
  switch (fault.kind) {
    case 'sensor_nan':
      sample.flat[fault.field] = severity < 0.5 ? Number.NaN : Number.POSITIVE_INFINITY;
      break;
    case 'sensor_freeze': {
      // The bus hands out its last sample again and again, stamped anew.
      const { time_s } = sample;
      sample.flat.set(before.flat);
      sample.time_s = time_s;
      break;
    }
    case 'sensor_jump': {
      const [low, high] = spec.joints[joint].position_rad;
      const q = sample.position_rad[joint];
      sample.position_rad[joint] = q + (0.5 + severity) * (q > (low + high) / 2 ? -1 : 1);
      break;
    }
    case 'sensor_range':
      sample.position_rad[joint] = spec.joints[joint].position_rad[1] + 0.3 + 10 * severity;
      break;
    case 'sensor_delay':
      sample.time_s -= 1.5 * severity * spec.watchdog.sensor_lost_s;
      break;
    case 'sensor_dropout':
      sample.flat.set(before.flat);
      break;
    case 'clock_jump':
      sample.time_s += (severity < 0.5 ? -1 : 1) * (spec.watchdog.sensor_lost_s + 100 * severity);
      break;
    case 'over_temperature':
      sample.temperature_c[joint] = spec.joints[joint].temperature_max_c + 0.1 + 20 * severity;
      break;
    case 'under_voltage':
      sample.supply_v = spec.supply!.min_v * (0.99 - 0.5 * severity);
      break;
  }
}
