import type { JointDrive } from '../../src/robot/busSpec.js';
import type { JointSpec } from '../../src/robot/spec.js';

/** What moves behind an emulated drive's shaft. */
export interface Shaft {
  readonly position_rad: number;
  readonly velocity_rad_s: number;
  readonly torque_nm: number;
}

/** What a drive's own loop makes, at its shaft: kp (position − q) + kd (velocity − v) + torque. */
export interface Loop {
  readonly position_rad: number;
  readonly velocity_rad_s: number;
  readonly kp_nm_rad: number;
  readonly kd_nm_s_rad: number;
  readonly torque_nm: number;
  /** The most that it gives, either way. */
  readonly limit_nm: number;
}

export interface DriveModel<Entry extends JointDrive = JointDrive> {
  readonly joint: JointSpec;
  readonly map: Entry;
}

/** A drive as its wire shows it. Families say what it answers; here is what can happen to any. */
export abstract class EmulatedDrive<Entry extends JointDrive = JointDrive> {
  /** Hears, and says nothing. */
  silent = false;
  /** Answers with this id, as one with a damaged memory would. */
  answersAs: number | undefined;
  private hasPower = true;

  constructor(readonly model: DriveModel<Entry>) {}

  /** Its address on the wire. */
  abstract id: number;
  /** Undefined without torque. */
  abstract get loop(): Loop | undefined;
  /** What it shows follows the shaft; a moment goes by for its watchdog. @param supply_v before this drive's own draw */
  abstract update(shaft: Shaft, dt_s: number, supply_v: number): void;
  /** Protects itself: torque off, with a fault to show for it. */
  abstract overload(): void;
  /** Forgets what it does not keep without power. */
  protected abstract boot(): void;

  get powered(): boolean {
    return this.hasPower;
  }

  power(on: boolean): void {
    if (on && !this.hasPower) this.boot();
    this.hasPower = on;
  }

  /** The joint's own gains, at the shaft: what a servo that has a loop of its own is tuned to. */
  protected get gains(): Pick<Loop, 'kp_nm_rad' | 'kd_nm_s_rad'> {
    const { joint, map } = this.model;
    const gear = map.gear_ratio ** 2;
    return { kp_nm_rad: joint.kp_nm_rad / gear, kd_nm_s_rad: joint.kd_nm_s_rad / gear };
  }

  /** At the shaft. */
  protected get torqueLimit_nm(): number {
    return this.model.joint.torque_nm / this.model.map.gear_ratio;
  }
}

/** Drives on one line: takes what a host writes. What they say goes through the line's faults to the host. */
export interface EmulatedLine {
  readonly drives: readonly EmulatedDrive[];
  receive(bytes: Uint8Array): void;
}

const AMBIENT_C = 25;
/** Of copper and case together: kelvin per watt, and seconds to warm up. */
const THERMAL_K_W = 6;
const THERMAL_S = 120;
const WINDING_OHM = 4;
/** A drive that pushes harder than this share of its largest torque for this long switches off. */
const OVERLOAD_SHARE = 0.9;
const OVERLOAD_S = 2;

/** What work does to a motor. */
export class Motor {
  temperature_c = AMBIENT_C;
  private overloaded_s = 0;

  /** @param share of the largest torque; @returns whether it has been too much for too long */
  update(share: number, current_a: number, dt_s: number): boolean {
    const loss_w = current_a * current_a * WINDING_OHM;
    this.temperature_c += ((AMBIENT_C + loss_w * THERMAL_K_W - this.temperature_c) * dt_s) / THERMAL_S;
    this.overloaded_s = share > OVERLOAD_SHARE ? this.overloaded_s + dt_s : 0;
    return this.overloaded_s > OVERLOAD_S;
  }

  rest(): void {
    this.overloaded_s = 0;
  }
}
