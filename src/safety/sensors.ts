import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';
import type { EventRing } from './events.js';
import { sensorFreshness } from './watchdog.js';

/** A joint may overshoot its mechanical range by this much, by play and calibration, before the reading is taken for wrong. */
const POSITION_SLACK_RAD = 0.2;
/** A joint driven by a fall or a push turns faster than any target may; beyond this factor the reading is wrong. */
const VELOCITY_FACTOR = 4;

/**
 * What a sample is worth. `stale`: too old to close a loop around, as after a hiccup of a bus or of
 * this machine. `bad`: not finite, beyond what the hardware can measure, or so old that sensing is lost:
 * a bus that died repeats its last sample for ever.
 */
export type Sensing = 'good' | 'stale' | 'bad';

export function checkSensors(spec: RobotSpec, state: RobotState, now_s: number, events: EventRing): Sensing {
  const age = now_s - state.time_s;
  const freshness = sensorFreshness(spec, age);
  if (freshness === 'lost') {
    events.report(now_s, 'sensor_lost', -1, age, spec.watchdog.sensor_lost_s);
    return 'bad';
  }
  if (!withinReach(spec, state, now_s, events)) return 'bad';
  if (freshness === 'fresh') return 'good';
  events.report(now_s, 'sensor_stale', -1, age, spec.watchdog.sensor_age_s);
  return 'stale';
}

/** Whether every value is finite and one that the hardware can measure. */
function withinReach(spec: RobotSpec, state: RobotState, now_s: number, events: EventRing): boolean {
  const { flat } = state;
  for (let i = 0; i < flat.length; i++) {
    if (!Number.isFinite(flat[i])) {
      events.report(now_s, 'sensor_invalid', -1, flat[i], 0);
      return false;
    }
  }
  for (let j = 0; j < spec.joints.length; j++) {
    const joint = spec.joints[j];
    const q = state.position_rad[j];
    const dq = state.velocity_rad_s[j];
    const low = joint.position_rad[0] - POSITION_SLACK_RAD;
    const high = joint.position_rad[1] + POSITION_SLACK_RAD;
    if (q < low || q > high) {
      events.report(now_s, 'sensor_range', j, q, q < low ? low : high);
      return false;
    }
    const fastest = VELOCITY_FACTOR * joint.velocity_rad_s;
    if (Math.abs(dq) > fastest) {
      events.report(now_s, 'sensor_range', j, dq, fastest);
      return false;
    }
  }
  if (!spec.imu) return true;
  const { orientation: o, gyro_rad_s: g, accel_m_s2: a } = state;
  const norm = Math.sqrt(o[0] * o[0] + o[1] * o[1] + o[2] * o[2] + o[3] * o[3]);
  if (Math.abs(norm - 1) > 0.01) {
    events.report(now_s, 'sensor_range', -1, norm, 1);
    return false;
  }
  for (let k = 0; k < 3; k++) {
    if (Math.abs(g[k]) > spec.imu.gyro_max_rad_s) {
      events.report(now_s, 'sensor_range', -1, g[k], spec.imu.gyro_max_rad_s);
      return false;
    }
    // An accelerometer that saturates at an impact is not broken: it is clipped, not rejected.
    if (Math.abs(a[k]) > spec.imu.accel_max_m_s2) a[k] = Math.sign(a[k]) * spec.imu.accel_max_m_s2;
  }
  return true;
}
