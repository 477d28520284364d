import type { BusOf } from '../../src/robot/busSpec.js';
import { COUNT_RAD, COUNTS } from '../bus/encoder.js';
import { type DriveModel, EmulatedDrive, type Loop, Motor, type Shaft } from '../emulator/drive.js';
import { decodeSigned, ErrorBit, encode, encodeSigned, Instruction, type Packet } from './codec.js';
import { CURRENT_A, MODEL_STS3215, Register } from './registers.js';

type Entry = BusOf<'feetech'>['joints'][string];

/** An STS3215 as the wire shows it: a memory of registers, some of which the motor turns on. */
export class EmulatedServo extends EmulatedDrive<Entry> {
  readonly memory = new Uint8Array(128);
  error = 0;
  private readonly motor = new Motor();
  private scheduled: { readonly address: number; readonly data: Uint8Array } | undefined;

  constructor(model: DriveModel<Entry>) {
    super(model);
    this.setWord(Register.firmware, 0x0903);
    this.setWord(Register.model, MODEL_STS3215);
    this.memory[Register.id] = model.map.id;
    this.setWord(Register.maxAngle, COUNTS - 1);
    this.memory[Register.maxTemperature] = 70;
    this.setWord(Register.maxTorque, 1000);
    this.boot();
  }

  override get id(): number {
    return this.memory[Register.id];
  }

  override set id(id: number) {
    this.memory[Register.id] = id;
  }

  override get loop(): Loop | undefined {
    if (!this.powered || this.memory[Register.torque] !== 1) return undefined;
    const lowest = this.word(Register.minAngle);
    const highest = this.word(Register.maxAngle);
    const goal = decodeSigned(this.word(Register.goalPosition), 15);
    const position_rad = (Math.min(highest, Math.max(lowest, goal)) - COUNTS / 2) * COUNT_RAD;
    return { position_rad, velocity_rad_s: 0, torque_nm: 0, ...this.gains, limit_nm: this.limit_nm };
  }

  /** Of the torque limit register, at the shaft. */
  get limit_nm(): number {
    const { stall_torque_nm, gear_ratio } = this.model.map;
    return ((this.word(Register.torqueLimit) / 1000) * stall_torque_nm) / gear_ratio;
  }

  override update(shaft: Shaft, dt_s: number, supply_v: number): void {
    const { torque_nm_a, stall_torque_nm, gear_ratio } = this.model.map;
    const torque_nm = shaft.torque_nm * gear_ratio;
    const current_a = torque_nm / torque_nm_a;
    const load = Math.abs(torque_nm) / stall_torque_nm;
    if (this.motor.update(load, current_a, dt_s)) this.overload();
    const { temperature_c } = this.motor;
    if (temperature_c > this.memory[Register.maxTemperature]) this.shutDown(ErrorBit.overheating);
    this.setWord(Register.position, encodeSigned(shaft.position_rad / COUNT_RAD + COUNTS / 2, 15));
    this.setWord(Register.velocity, encodeSigned(shaft.velocity_rad_s / COUNT_RAD, 15));
    this.setWord(Register.load, encodeSigned(1000 * Math.sign(torque_nm) * load, 10));
    this.setWord(Register.current, encodeSigned(current_a / CURRENT_A, 15));
    this.memory[Register.voltage] = Math.round(10 * supply_v);
    this.memory[Register.temperature] = Math.round(temperature_c);
    this.memory[Register.status] = this.error;
    this.memory[Register.moving] = Math.abs(shaft.velocity_rad_s) > 0.02 ? 1 : 0;
  }

  override overload(): void {
    this.shutDown(ErrorBit.overload);
  }

  /** @returns the answer to a request for this servo; undefined where it has none */
  answer({ code, params }: Packet): Uint8Array | undefined {
    switch (code) {
      case Instruction.ping:
        return this.reply();
      case Instruction.read:
        return params.length === 2
          ? this.reply(this.memory.slice(params[0], params[0] + params[1]))
          : undefined;
      case Instruction.write:
        this.store(params[0], params.subarray(1));
        return this.reply();
      case Instruction.regWrite:
        this.scheduled = { address: params[0], data: params.slice(1) };
        return this.reply();
      case Instruction.action:
        if (this.scheduled) this.store(this.scheduled.address, this.scheduled.data);
        this.scheduled = undefined;
        return undefined;
      default:
        return undefined;
    }
  }

  reply(data: Uint8Array = new Uint8Array()): Uint8Array {
    return encode(this.answersAs ?? this.id, this.error, data);
  }

  /** Read-only registers stay, and so do those behind the lock while it is shut. */
  store(address: number, data: Uint8Array): void {
    for (let i = 0; i < data.length; i++) {
      const at = address + i;
      const kept = at < Register.torque;
      if (at < Register.id || at >= Register.position || (kept && this.memory[Register.lock] === 1)) continue;
      this.memory[at] = data[i];
    }
    if (address <= Register.torque && address + data.length > Register.torque)
      this.error &= ~ErrorBit.overload;
  }

  protected override boot(): void {
    this.memory.fill(0, Register.torque, Register.position);
    this.memory[Register.lock] = 1;
    this.setWord(Register.torqueLimit, this.word(Register.maxTorque));
    this.setWord(Register.goalPosition, this.word(Register.position));
    this.error = 0;
    this.motor.rest();
  }

  private shutDown(bit: number): void {
    this.error |= bit;
    this.memory[Register.torque] = 0;
    this.motor.rest();
  }

  private word(address: number): number {
    return this.memory[address] | (this.memory[address + 1] << 8);
  }

  private setWord(address: number, value: number): void {
    this.memory[address] = value & 0xff;
    this.memory[address + 1] = (value >> 8) & 0xff;
  }
}
