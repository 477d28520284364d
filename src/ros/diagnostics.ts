import type { RobotStatus } from '../control/robotProcess.js';
import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';
import { type SafetyEvent, stopping } from '../safety/events.js';
import type { DiagnosticArray, DiagnosticStatus, Time } from './types.js';

/** Levels of `diagnostic_msgs/DiagnosticStatus`. */
export const Level = { ok: 0, warn: 1, error: 2, stale: 3 } as const;

/** A drive that is this close to its limit is worth a warning, K. */
const WARM_K = 10;

/** The robot's health as of now: safety kernel, control loop and each drive. */
export function diagnostics(
  spec: RobotSpec,
  status: RobotStatus,
  state: RobotState,
  stamp: Time,
): DiagnosticArray {
  return {
    header: { stamp, frame_id: '' },
    status: [safety(spec, status), loop(spec, status), ...drives(spec, state)],
  };
}

/** One intervention of the safety kernel. */
export function safetyDiagnostic(spec: RobotSpec, event: SafetyEvent, stamp: Time): DiagnosticArray {
  const joint = spec.joints[event.joint]?.name;
  return {
    header: { stamp, frame_id: '' },
    status: [
      {
        level: stopping.has(event.cause) ? Level.error : Level.warn,
        name: `safety: ${event.cause}`,
        message: joint ?? '',
        hardware_id: spec.name,
        values: values({ value: event.value, limit: event.limit }),
      },
    ],
  };
}

function safety(spec: RobotSpec, status: RobotStatus): DiagnosticStatus {
  const { latched, mode, safety_events, falls, asks_person } = status;
  return {
    level: latched || asks_person ? Level.error : mode === 'damp' ? Level.warn : Level.ok,
    name: 'safety: kernel',
    message: asks_person ?? (latched ? `latched: ${latched}` : mode),
    hardware_id: spec.name,
    values: values({ mode, events: safety_events, falls }),
  };
}

function loop(spec: RobotSpec, status: RobotStatus): DiagnosticStatus {
  const { ticks, missed_ticks, late_p99_ms, late_p999_ms, late_max_ms, drive_watchdog } = status;
  const late = late_p999_ms > 1e3 / spec.rates.control_hz;
  return {
    level: late ? Level.warn : Level.ok,
    name: 'control: loop',
    message: late ? 'ticks are late by more than a period' : 'on time',
    hardware_id: spec.name,
    values: values({ ticks, missed_ticks, late_p99_ms, late_p999_ms, late_max_ms, drive_watchdog }),
  };
}

function drives(spec: RobotSpec, state: RobotState): DiagnosticStatus[] {
  return spec.joints.map(({ name, temperature_max_c: limit }, j) => {
    const temperature_c = state.temperature_c[j];
    const hot = temperature_c > limit;
    const warm = temperature_c > limit - WARM_K;
    return {
      level: hot ? Level.error : warm ? Level.warn : Level.ok,
      name: `drive: ${name}`,
      message: hot ? 'too hot' : warm ? 'warm' : 'ok',
      hardware_id: spec.name,
      values: values({ temperature_c, torque_nm: state.torque_nm[j] }),
    };
  });
}

function values(of: Record<string, string | number>): { key: string; value: string }[] {
  return Object.entries(of).map(([key, value]) => ({
    key,
    value: typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value),
  }));
}
