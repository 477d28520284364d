import { decodeSigned, ErrorBit, encode, encodeSigned, Instruction, type Packet } from './codec.js';
import { COUNT_RAD, COUNTS, CURRENT_A, MODEL_STS3215, Register } from './registers.js';

/** What moves behind an emulated servo's horn. */
export interface Shaft {
  readonly position_rad: number;
  readonly velocity_rad_s: number;
  readonly torque_nm: number;
}

export interface ServoModel {
  readonly id: number;
  readonly torque_nm_a: number;
  readonly stall_torque_nm: number;
}

const AMBIENT_C = 25;
/** Of copper and case together: kelvin per watt, and seconds to warm up. */
const THERMAL_K_W = 6;
const THERMAL_S = 120;
const WINDING_OHM = 4;
/** A servo that pushes harder than this share of its stall torque for this long switches off. */
const OVERLOAD_SHARE = 0.9;
const OVERLOAD_S = 2;

/** An STS3215 as the wire shows it: a memory of registers, some of which the motor turns on. */
export class EmulatedServo {
  readonly memory = new Uint8Array(128);
  powered = true;
  error = 0;
  /** Answers with this id, as one with a damaged memory would. */
  answersAs: number | undefined;
  private temperature_c = AMBIENT_C;
  private overloaded_s = 0;
  private scheduled: { readonly address: number; readonly data: Uint8Array } | undefined;

  constructor(readonly model: ServoModel) {
    this.setWord(Register.firmware, 0x0903);
    this.setWord(Register.model, MODEL_STS3215);
    this.memory[Register.id] = model.id;
    this.setWord(Register.maxAngle, COUNTS - 1);
    this.memory[Register.maxTemperature] = 70;
    this.setWord(Register.maxTorque, 1000);
    this.boot();
  }

  get id(): number {
    return this.memory[Register.id];
  }

  /** Joint position that it goes for, as the encoder's angle; undefined without torque. */
  get goal_rad(): number | undefined {
    if (!this.powered || this.memory[Register.torque] !== 1) return undefined;
    const lowest = this.word(Register.minAngle);
    const highest = this.word(Register.maxAngle);
    const goal = decodeSigned(this.word(Register.goalPosition), 15);
    return (Math.min(highest, Math.max(lowest, goal)) - COUNTS / 2) * COUNT_RAD;
  }

  get limit_nm(): number {
    return (this.word(Register.torqueLimit) / 1000) * this.model.stall_torque_nm;
  }

  /** Loses power, and with it all above the lock; or gets it again. */
  power(on: boolean): void {
    if (on && !this.powered) this.boot();
    this.powered = on;
  }

  /** Registers follow the shaft. @param supply_v before this servo's own draw */
  update(shaft: Shaft, dt_s: number, supply_v: number): void {
    const current_a = shaft.torque_nm / this.model.torque_nm_a;
    const loss_w = current_a * current_a * WINDING_OHM;
    this.temperature_c += ((AMBIENT_C + loss_w * THERMAL_K_W - this.temperature_c) * dt_s) / THERMAL_S;
    const load = Math.abs(shaft.torque_nm) / this.model.stall_torque_nm;
    this.overloaded_s = load > OVERLOAD_SHARE ? this.overloaded_s + dt_s : 0;
    if (this.overloaded_s > OVERLOAD_S) this.overload();
    if (this.temperature_c > this.memory[Register.maxTemperature]) this.shutDown(ErrorBit.overheating);
    this.setWord(Register.position, encodeSigned(shaft.position_rad / COUNT_RAD + COUNTS / 2, 15));
    this.setWord(Register.velocity, encodeSigned(shaft.velocity_rad_s / COUNT_RAD, 15));
    this.setWord(Register.load, encodeSigned(1000 * Math.sign(shaft.torque_nm) * load, 10));
    this.setWord(Register.current, encodeSigned(current_a / CURRENT_A, 15));
    this.memory[Register.voltage] = Math.round(10 * supply_v);
    this.memory[Register.temperature] = Math.round(this.temperature_c);
    this.memory[Register.status] = this.error;
    this.memory[Register.moving] = Math.abs(shaft.velocity_rad_s) > 0.02 ? 1 : 0;
  }

  overload(): void {
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

  private boot(): void {
    this.memory.fill(0, Register.torque, Register.position);
    this.memory[Register.lock] = 1;
    this.setWord(Register.torqueLimit, this.word(Register.maxTorque));
    this.setWord(Register.goalPosition, this.word(Register.position));
    this.error = 0;
    this.overloaded_s = 0;
  }

  private shutDown(bit: number): void {
    this.error |= bit;
    this.memory[Register.torque] = 0;
    this.overloaded_s = 0;
  }

  private word(address: number): number {
    return this.memory[address] | (this.memory[address + 1] << 8);
  }

  private setWord(address: number, value: number): void {
    this.memory[address] = value & 0xff;
    this.memory[address + 1] = (value >> 8) & 0xff;
  }
}
