import type { CanFrame } from '../can/slcan.js';

/**
 * Registers of Damiao drives, read and written through CAN id 7FF: `id 0 what register value`, the
 * value little-endian. Source: Damiao, "DM-J4310 manual", parameter table; not checked against a drive.
 */
export const Register = {
  /** Silence after which the drive lets go, in units of 50 µs; float-free. */
  timeout: 9,
  controlMode: 10,
  /** Its own CAN id. */
  id: 8,
  hardware: 13,
  firmware: 14,
  positionRange: 21,
  velocityRange: 22,
  torqueRange: 23,
} as const;

export const TIMEOUT_S = 50e-6;
/** Value of `controlMode`. */
export const MIT_MODE = 1;
const CHANNEL = 0x7ff;
const READ = 0x33;
const WRITE = 0x55;
const SAVE = 0xaa;
/** Those that hold a float; the rest are whole numbers. */
const floats: readonly number[] = [Register.positionRange, Register.velocityRange, Register.torqueRange];

function frame(data: readonly number[]): CanFrame {
  const bytes = new Uint8Array(8);
  bytes.set(data);
  return { id: CHANNEL, extended: false, data: bytes };
}

export function readRegister(id: number, register: number): CanFrame {
  return frame([id, 0, READ, register]);
}

export function writeRegister(id: number, register: number, value: number): CanFrame {
  const view = new DataView(new ArrayBuffer(4));
  if (floats.includes(register)) view.setFloat32(0, value, true);
  else view.setUint32(0, value, true);
  return frame([id, 0, WRITE, register, ...new Uint8Array(view.buffer)]);
}

/** Keeps what was written without power. Taken only without torque. */
export function saveRegisters(id: number): CanFrame {
  return frame([id, 0, SAVE, 1]);
}

export interface RegisterValue {
  readonly id: number;
  readonly written: boolean;
  readonly register: number;
  readonly value: number;
}

/** A request or an answer, which look alike. @returns undefined where the frame is neither */
export function parseRegister(data: Uint8Array): RegisterValue | undefined {
  if (data.length !== 8 || data[1] !== 0 || (data[2] !== READ && data[2] !== WRITE)) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const value = floats.includes(data[3]) ? view.getFloat32(4, true) : view.getUint32(4, true);
  return { id: data[0], written: data[2] === WRITE, register: data[3], value };
}
