import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';

/** Below `temperature_max_c` by this much a drive begins to lose torque, °C. */
const WARM_C = 15;
/** Share of the torque limit that is left where derating ends and stopping begins. */
const LEAST = 0.4;

/**
 * Torque that is left to a drive that is warm, was loaded for long or has a weak supply. The load is
 * the usual I²t model of a winding: the square of the torque over its continuous value, through a
 * first-order lag; beyond 1 the joint gets its continuous torque.
 */
export class Derating {
  /** Share of each joint's torque limit. */
  readonly share: Float64Array;
  private readonly load: Float64Array;
  private readonly dt_s: number;

  constructor(private readonly spec: RobotSpec) {
    this.share = new Float64Array(spec.joints.length).fill(1);
    this.load = new Float64Array(spec.joints.length);
    this.dt_s = 1 / spec.rates.control_hz;
  }

  /** One tick. */
  update(state: RobotState): void {
    const { spec, share, load } = this;
    const { continuous_share, load_s } = spec.derating;
    const supply = batteryShare(spec, state.supply_v);
    for (let j = 0; j < share.length; j++) {
      const { torque_nm, temperature_max_c } = spec.joints[j];
      const torque = Math.min(torque_nm, Math.abs(state.torque_nm[j])) / (continuous_share * torque_nm);
      load[j] += (this.dt_s / load_s) * (torque * torque - load[j]);
      const worn = load[j] > 1 ? continuous_share : 1;
      share[j] = Math.min(worn, supply, temperatureShare(temperature_max_c, state.temperature_c[j]));
    }
  }
}

function temperatureShare(max_c: number, measured_c: number): number {
  return LEAST + (1 - LEAST) * Math.min(1, Math.max(0, (max_c - measured_c) / WARM_C));
}

/** 1 for a robot that does not report its supply. */
function batteryShare(spec: RobotSpec, measured_v: number): number {
  if (!spec.supply || measured_v === 0) return 1;
  const { low_v, min_v } = spec.supply;
  return LEAST + (1 - LEAST) * Math.min(1, Math.max(0, (measured_v - min_v) / (low_v - min_v)));
}

/** The first joint that is too hot to go on, or −1. */
export function overheated(spec: RobotSpec, state: RobotState): number {
  for (let j = 0; j < spec.joints.length; j++)
    if (state.temperature_c[j] > spec.joints[j].temperature_max_c) return j;
  return -1;
}

/** Whether the supply is too weak to go on. */
export function exhausted(spec: RobotSpec, state: RobotState): boolean {
  return spec.supply !== undefined && state.supply_v !== 0 && state.supply_v < spec.supply.min_v;
}
