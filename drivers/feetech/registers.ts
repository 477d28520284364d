import { decodeSigned } from './codec.js';

/** Addresses in an STS3215's memory. Those below 40 are kept without power, behind the lock. */
export const Register = {
  firmware: 0,
  model: 3,
  id: 5,
  baud: 6,
  minAngle: 9,
  maxAngle: 11,
  maxTemperature: 13,
  maxTorque: 16,
  offset: 31,
  mode: 33,
  torque: 40,
  acceleration: 41,
  goalPosition: 42,
  goalTime: 44,
  goalVelocity: 46,
  torqueLimit: 48,
  lock: 55,
  position: 56,
  velocity: 58,
  load: 60,
  voltage: 62,
  temperature: 63,
  status: 65,
  moving: 66,
  current: 69,
} as const;

/** From present position to present current, in one read. */
export const FEEDBACK = { address: Register.position, length: 15 } as const;

/** One count of current, A. Not checked against a servo. */
export const CURRENT_A = 0.0065;
/** What an STS3215 answers at `Register.model`. */
export const MODEL_STS3215 = 777;

export interface Feedback {
  readonly position: number;
  readonly velocity: number;
  /** Thousandths of the largest torque. */
  readonly load: number;
  readonly voltage_v: number;
  readonly temperature_c: number;
  readonly status: number;
  readonly current_a: number;
}

/** @param data the bytes of `FEEDBACK` */
export function decodeFeedback(data: Uint8Array): Feedback {
  const word = (address: number) => {
    const at = address - FEEDBACK.address;
    return data[at] | (data[at + 1] << 8);
  };
  return {
    position: decodeSigned(word(Register.position), 15),
    velocity: decodeSigned(word(Register.velocity), 15),
    load: decodeSigned(word(Register.load), 10),
    voltage_v: data[Register.voltage - FEEDBACK.address] / 10,
    temperature_c: data[Register.temperature - FEEDBACK.address],
    status: data[Register.status - FEEDBACK.address],
    current_a: decodeSigned(word(Register.current), 15) * CURRENT_A,
  };
}
