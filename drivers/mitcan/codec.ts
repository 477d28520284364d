/**
 * MIT-style actuators (mini cheetah, Damiao and RobStride in MIT mode): one CAN frame of eight bytes
 * with position 16, velocity 12, kp 12, kd 12 and torque 12 bits, most significant first.
 * Source: B. Katz, "A low cost modular actuator for dynamic robots" (2018), and Damiao's manual.
 */
export interface MitRange {
  /** ±, as the next two. */
  readonly position_rad: number;
  readonly velocity_rad_s: number;
  readonly torque_nm: number;
  /** From 0, as the next. */
  readonly kp_nm_rad: number;
  readonly kd_nm_s_rad: number;
}

/** Damiao DM4310. */
export const DM4310: MitRange = {
  position_rad: 12.5,
  velocity_rad_s: 30,
  torque_nm: 10,
  kp_nm_rad: 500,
  kd_nm_s_rad: 5,
};

export interface MitCommand {
  readonly position_rad: number;
  readonly velocity_rad_s: number;
  readonly kp_nm_rad: number;
  readonly kd_nm_s_rad: number;
  readonly torque_nm: number;
}

/** What a Damiao drive says of itself in a reply. */
export const State = { off: 0, on: 1, unheard: 13 } as const;
const faults: Readonly<Record<number, string>> = {
  8: 'overvoltage',
  9: 'undervoltage',
  10: 'overcurrent',
  11: 'overheating',
  12: 'overheating of the rotor',
  14: 'overload',
};
export const Fault = { overheating: 11, overload: 14 } as const;

/** Why a drive has given up. That nobody spoke to it for too long is no fault of its own. */
export function faultName(state: number): string | undefined {
  return faults[state];
}

export interface MitFeedback {
  /** Below 16. */
  readonly id: number;
  /** `State`, or the number of a fault. */
  readonly state: number;
  readonly position_rad: number;
  readonly velocity_rad_s: number;
  readonly torque_nm: number;
  readonly driver_c: number;
  readonly rotor_c: number;
}

/** Clips, and turns NaN into the middle of the range: nothing that is no number may reach a drive as an extreme. */
function toBits(value: number, low: number, high: number, bits: number): number {
  const x = Number.isFinite(value)
    ? Math.min(high, Math.max(low, value))
    : Math.max(0, low) + Math.min(0, high);
  return Math.floor(((x - low) * ((1 << bits) - 1)) / (high - low));
}

function fromBits(word: number, low: number, high: number, bits: number): number {
  return low + (word * (high - low)) / ((1 << bits) - 1);
}

export function encodeCommand(command: MitCommand, range: MitRange): Uint8Array {
  const { position_rad: pMax, velocity_rad_s: vMax, torque_nm: tMax } = range;
  const p = toBits(command.position_rad, -pMax, pMax, 16);
  const v = toBits(command.velocity_rad_s, -vMax, vMax, 12);
  const kp = toBits(command.kp_nm_rad, 0, range.kp_nm_rad, 12);
  const kd = toBits(command.kd_nm_s_rad, 0, range.kd_nm_s_rad, 12);
  const t = toBits(command.torque_nm, -tMax, tMax, 12);
  return Uint8Array.of(p >> 8, p, v >> 4, (v << 4) | (kp >> 8), kp, kd >> 4, (kd << 4) | (t >> 8), t);
}

/** @returns undefined when the frame has not the eight bytes of a command */
export function decodeCommand(data: Uint8Array, range: MitRange): MitCommand | undefined {
  if (data.length !== 8) return undefined;
  const { position_rad: pMax, velocity_rad_s: vMax, torque_nm: tMax } = range;
  return {
    position_rad: fromBits((data[0] << 8) | data[1], -pMax, pMax, 16),
    velocity_rad_s: fromBits((data[2] << 4) | (data[3] >> 4), -vMax, vMax, 12),
    kp_nm_rad: fromBits(((data[3] & 15) << 8) | data[4], 0, range.kp_nm_rad, 12),
    kd_nm_s_rad: fromBits((data[5] << 4) | (data[6] >> 4), 0, range.kd_nm_s_rad, 12),
    torque_nm: fromBits(((data[6] & 15) << 8) | data[7], -tMax, tMax, 12),
  };
}

export function encodeFeedback(feedback: MitFeedback, range: MitRange): Uint8Array {
  const p = toBits(feedback.position_rad, -range.position_rad, range.position_rad, 16);
  const v = toBits(feedback.velocity_rad_s, -range.velocity_rad_s, range.velocity_rad_s, 12);
  const t = toBits(feedback.torque_nm, -range.torque_nm, range.torque_nm, 12);
  const { id, state, driver_c, rotor_c } = feedback;
  return Uint8Array.of(
    (state << 4) | (id & 15),
    p >> 8,
    p,
    v >> 4,
    (v << 4) | (t >> 8),
    t,
    driver_c,
    rotor_c,
  );
}

/** @returns undefined when the frame is too short for a reply */
export function decodeFeedback(data: Uint8Array, range: MitRange): MitFeedback | undefined {
  if (data.length < 8) return undefined;
  return {
    id: data[0] & 15,
    state: data[0] >> 4,
    position_rad: fromBits((data[1] << 8) | data[2], -range.position_rad, range.position_rad, 16),
    velocity_rad_s: fromBits(
      (data[3] << 4) | (data[4] >> 4),
      -range.velocity_rad_s,
      range.velocity_rad_s,
      12,
    ),
    torque_nm: fromBits(((data[4] & 15) << 8) | data[5], -range.torque_nm, range.torque_nm, 12),
    driver_c: data[6],
    rotor_c: data[7],
  };
}

const special = { enable: 0xfc, disable: 0xfd, zero: 0xfe, clear: 0xfb } as const;
/** Seven FF and a code: what a command never looks like, since it would ask for everything at its most. */
export function encodeSpecial(what: keyof typeof special): Uint8Array {
  return Uint8Array.of(255, 255, 255, 255, 255, 255, 255, special[what]);
}
export function decodeSpecial(data: Uint8Array): keyof typeof special | undefined {
  if (data.length !== 8 || data.subarray(0, 7).some((byte) => byte !== 255)) return undefined;
  return (Object.keys(special) as (keyof typeof special)[]).find((key) => special[key] === data[7]);
}
