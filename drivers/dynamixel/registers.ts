/** Control table of XL330, XL430, XM430 and their kin. Those below 64 are kept without power, and taken without torque alone. */
export const Register = {
  model: 0,
  firmware: 6,
  id: 7,
  operatingMode: 11,
  maxPosition: 48,
  minPosition: 52,
  torque: 64,
  hardwareError: 70,
  busWatchdog: 98,
  goalCurrent: 102,
  goalPosition: 116,
  current: 126,
  velocity: 128,
  position: 132,
  voltage: 144,
  temperature: 146,
} as const;

/** From present current to present temperature, in one read. */
export const FEEDBACK = { address: Register.current, length: 21 } as const;
/** From torque to bus watchdog, in one read. */
export const SETTINGS = { address: Register.torque, length: 35 } as const;

export const OperatingMode = { position: 3, currentBasedPosition: 5 } as const;
export const WATCHDOG_S = 0.02;
/** What the watchdog's register says once it has tripped; goals are read-only then. */
export const WATCHDOG_TRIPPED = 0xff;
/** One count of velocity, 0.229 rpm. */
export const VELOCITY_RAD_S = (0.229 * 2 * Math.PI) / 60;

export interface Model {
  readonly name: string;
  /** One count of current, A; undefined for a servo that does not measure it, and says its load in thousandths. */
  readonly current_a?: number;
}

/** Source: ROBOTIS e-manual; numbers and units of current not checked against servos. */
export const models: Readonly<Record<number, Model>> = {
  1020: { name: 'XM430-W350', current_a: 2.69e-3 },
  1030: { name: 'XM430-W210', current_a: 2.69e-3 },
  1060: { name: 'XL430-W250' },
  1190: { name: 'XL330-M077', current_a: 1e-3 },
  1200: { name: 'XL330-M288', current_a: 1e-3 },
};

export interface Feedback {
  /** Counts, as the register has it. */
  readonly current: number;
  readonly velocity_rad_s: number;
  /** Counts; beyond one turn where the mode has several. */
  readonly position: number;
  readonly voltage_v: number;
  readonly temperature_c: number;
}

/** @param data the bytes of `FEEDBACK` */
export function decodeFeedback(data: Uint8Array): Feedback {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const at = (address: number) => address - FEEDBACK.address;
  return {
    current: view.getInt16(at(Register.current), true),
    velocity_rad_s: view.getInt32(at(Register.velocity), true) * VELOCITY_RAD_S,
    position: view.getInt32(at(Register.position), true),
    voltage_v: view.getUint16(at(Register.voltage), true) / 10,
    temperature_c: view.getUint8(at(Register.temperature)),
  };
}

export const le16 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
export const le32 = (value: number): number[] => [...le16(value), ...le16(value >> 16)];
