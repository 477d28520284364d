import type { BusOf } from '../../src/robot/busSpec.js';
import { COUNT_RAD, COUNTS } from '../bus/encoder.js';
import {
  type DriveModel,
  EmulatedDrive,
  type EmulatedLine,
  type Loop,
  Motor,
  type Shaft,
} from '../emulator/drive.js';
import type { WireFaults } from '../emulator/faults.js';
import { Framer } from '../framing.js';
import { BROADCAST, crc16, encode, framing, Instruction, type Packet, status } from './codec.js';
import {
  models,
  OperatingMode,
  Register,
  VELOCITY_RAD_S,
  WATCHDOG_S,
  WATCHDOG_TRIPPED,
} from './registers.js';

type Entry = BusOf<'dynamixel'>['joints'][string];

const MODEL = 1020;
const FIRMWARE = 45;
const ACCESS_ERROR = 7;
const ALERT = 0x80;
const HardwareError = { overheating: 1 << 2, overload: 1 << 5 } as const;
const MAX_C = 80;

/** An XM430 as the wire shows it: a memory of registers, some of which the motor turns on. */
export class EmulatedDynamixel extends EmulatedDrive<Entry> {
  readonly memory = new Uint8Array(148);
  private readonly view = new DataView(this.memory.buffer);
  private readonly motor = new Motor();
  private silence_s = 0;

  constructor(model: DriveModel<Entry>) {
    super(model);
    const { view } = this;
    view.setUint16(Register.model, MODEL, true);
    view.setUint8(Register.firmware, FIRMWARE);
    view.setUint8(Register.id, model.map.id);
    view.setUint8(Register.operatingMode, OperatingMode.position);
    view.setInt32(Register.maxPosition, COUNTS - 1, true);
    this.boot();
  }

  override get id(): number {
    return this.memory[Register.id];
  }

  override set id(id: number) {
    this.memory[Register.id] = id;
  }

  override get loop(): Loop | undefined {
    const { view, model } = this;
    if (!this.powered || view.getUint8(Register.torque) !== 1) return undefined;
    // A watchdog that has tripped stops the servo where it is.
    const stopped = view.getUint8(Register.busWatchdog) === WATCHDOG_TRIPPED;
    const goal = view.getInt32(stopped ? Register.position : Register.goalPosition, true);
    const { current_a } = models[MODEL];
    const limited = view.getUint8(Register.operatingMode) === OperatingMode.currentBasedPosition;
    const { torque_nm_a, gear_ratio, stall_torque_nm } = model.map;
    const most_nm = limited
      ? view.getUint16(Register.goalCurrent, true) * current_a! * torque_nm_a
      : stall_torque_nm;
    return {
      position_rad: (goal - COUNTS / 2) * COUNT_RAD,
      velocity_rad_s: 0,
      torque_nm: 0,
      ...this.gains,
      limit_nm: most_nm / gear_ratio,
    };
  }

  override update(shaft: Shaft, dt_s: number, supply_v: number): void {
    const { view } = this;
    const { torque_nm_a, stall_torque_nm, gear_ratio } = this.model.map;
    const torque_nm = shaft.torque_nm * gear_ratio;
    const current_a = torque_nm / torque_nm_a;
    if (this.motor.update(Math.abs(torque_nm) / stall_torque_nm, current_a, dt_s)) this.overload();
    if (this.motor.temperature_c > MAX_C) this.shutDown(HardwareError.overheating);
    view.setInt16(Register.current, Math.round(current_a / models[MODEL].current_a!), true);
    view.setInt32(Register.velocity, Math.round(shaft.velocity_rad_s / VELOCITY_RAD_S), true);
    view.setInt32(Register.position, Math.round(shaft.position_rad / COUNT_RAD + COUNTS / 2), true);
    view.setUint16(Register.voltage, Math.round(10 * supply_v), true);
    view.setUint8(Register.temperature, Math.round(this.motor.temperature_c));
    this.watch(dt_s);
  }

  override overload(): void {
    this.shutDown(HardwareError.overload);
  }

  heard(): void {
    this.silence_s = 0;
  }

  /** @returns the answer to a request for this servo; undefined where it has none */
  answer({ instruction, params }: Packet): Uint8Array | undefined {
    const address = params[0] | (params[1] << 8);
    switch (instruction) {
      case Instruction.ping:
        return this.reply([...this.memory.subarray(0, 2), this.memory[Register.firmware]]);
      case Instruction.read:
        return this.reply(this.memory.slice(address, address + (params[2] | (params[3] << 8))));
      case Instruction.write:
        return this.reply([], this.store(address, params.subarray(2)) ? 0 : ACCESS_ERROR);
      case Instruction.reboot: {
        const reply = this.reply();
        this.boot();
        return reply;
      }
      default:
        return undefined;
    }
  }

  /** @returns false where a register is refused: read-only, kept while there is torque, or a goal after the watchdog */
  store(address: number, data: Uint8Array): boolean {
    const { memory } = this;
    const kept = address < Register.torque;
    const goal = address >= Register.goalCurrent && address < Register.current;
    if (address < Register.id || address >= Register.current) return false;
    if (kept && memory[Register.torque] === 1) return false;
    if (goal && memory[Register.busWatchdog] === WATCHDOG_TRIPPED) return false;
    // Without a reboot a servo that protected itself gives no torque.
    if (address === Register.torque && data[0] === 1 && memory[Register.hardwareError] !== 0) return false;
    memory.set(data.subarray(0, memory.length - address), address);
    return true;
  }

  /** @param error as a status has it, without the alert */
  reply(data: ArrayLike<number> = [], error = 0): Uint8Array {
    return status(this.answersAs ?? this.id, error | this.alert, data);
  }

  get alert(): number {
    return this.memory[Register.hardwareError] !== 0 ? ALERT : 0;
  }

  protected override boot(): void {
    this.memory.fill(0, Register.torque, Register.current);
    const position = this.view.getInt32(Register.position, true);
    this.view.setInt32(Register.goalPosition, position, true);
    this.motor.rest();
  }

  /** Counts only while there is torque. */
  private watch(dt_s: number): void {
    const { memory } = this;
    const limit = memory[Register.busWatchdog];
    this.silence_s += dt_s;
    if (memory[Register.torque] !== 1 || limit === 0 || limit === WATCHDOG_TRIPPED) return;
    if (this.silence_s > limit * WATCHDOG_S) memory[Register.busWatchdog] = WATCHDOG_TRIPPED;
  }

  private shutDown(bit: number): void {
    this.memory[Register.hardwareError] |= bit;
    this.memory[Register.torque] = 0;
    this.motor.rest();
  }
}

/** Servos on one line, Protocol 2.0. */
export class DynamixelEmulator implements EmulatedLine {
  private readonly framer = new Framer(framing);

  constructor(
    readonly drives: readonly EmulatedDynamixel[],
    private readonly faults: WireFaults,
  ) {}

  receive(bytes: Uint8Array): void {
    const answers: Uint8Array[] = [];
    this.framer.push(bytes, (packet) => answers.push(...this.answers(packet)));
    this.faults.apply(answers);
  }

  private answers(packet: Packet): Uint8Array[] {
    const { id, instruction, params } = packet;
    if (instruction === Instruction.syncWrite) {
      this.syncWrite(params);
      return [];
    }
    if (instruction === Instruction.syncRead)
      return [...params.subarray(4)].flatMap((servo) =>
        this.of(servo, { id: servo, instruction: Instruction.read, params: params.subarray(0, 4) }),
      );
    if (instruction === Instruction.fastSyncRead) return this.fastRead(params);
    if (id !== BROADCAST) return this.of(id, packet);
    for (const servo of this.listening) servo.answer(packet);
    return [];
  }

  /** Servos of one id speak at the same moment: the line carries the AND of their bytes. */
  private of(id: number, packet: Packet): Uint8Array[] {
    const answers = this.called(id).flatMap((servo) => {
      const answer = servo.answer(packet);
      return answer && !servo.silent ? [answer] : [];
    });
    return answers.length === 0 ? [] : [answers.reduce((a, b) => a.map((byte, i) => byte & (b[i] ?? 255)))];
  }

  /** One packet that each servo writes its part of; where one is silent it never ends. */
  private fastRead(params: Uint8Array): Uint8Array[] {
    const address = params[0] | (params[1] << 8);
    const length = params[2] | (params[3] << 8);
    const body: number[] = [];
    for (const id of params.subarray(4)) {
      const [servo] = this.called(id);
      if (!servo || servo.silent) return [];
      const part = [servo.alert, servo.answersAs ?? id, ...servo.memory.subarray(address, address + length)];
      if (body.length > 0) {
        const crc = crc16(Uint8Array.from(body), 0, body.length);
        body.push(crc & 0xff, crc >> 8);
      }
      body.push(...part);
    }
    return [encode(BROADCAST, Instruction.status, body)];
  }

  private syncWrite(params: Uint8Array): void {
    const address = params[0] | (params[1] << 8);
    const length = params[2] | (params[3] << 8);
    for (let at = 4; at + length < params.length; at += 1 + length)
      for (const servo of this.called(params[at]))
        servo.store(address, params.subarray(at + 1, at + 1 + length));
  }

  private called(id: number): EmulatedDynamixel[] {
    const servos = this.listening.filter((s) => s.id === id);
    for (const servo of servos) servo.heard();
    return servos;
  }

  private get listening(): EmulatedDynamixel[] {
    return this.drives.filter((s) => s.powered);
  }
}
