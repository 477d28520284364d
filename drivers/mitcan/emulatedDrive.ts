import type { BusOf } from '../../src/robot/busSpec.js';
import type { CanDrive } from '../can/emulatedAdapter.js';
import type { CanFrame } from '../can/slcan.js';
import { type DriveModel, EmulatedDrive, type Loop, Motor, type Shaft } from '../emulator/drive.js';
import {
  decodeCommand,
  decodeSpecial,
  encodeFeedback,
  Fault,
  type MitCommand,
  type MitRange,
  State,
} from './codec.js';
import { MIT_MODE, parseRegister, Register, TIMEOUT_S, writeRegister } from './registers.js';

type Entry = BusOf<'mitcan'>['joints'][string];

/** CAN id of the host, as set in the drive. */
const HOST = 0;
const FIRMWARE = 0x0102;
const HARDWARE = 0x4310;
/** Read-only. */
const fixed: readonly number[] = [Register.firmware, Register.hardware];
const MAX_C = 100;
/** Of a current that nobody sees but the temperature. */
const TORQUE_NM_A = 3;
const limp: MitCommand = { position_rad: 0, velocity_rad_s: 0, kp_nm_rad: 0, kd_nm_s_rad: 0, torque_nm: 0 };

/** A Damiao drive in MIT mode: lets go when it has heard nothing for its timeout. */
export class EmulatedMitDrive extends EmulatedDrive<Entry> implements CanDrive {
  readonly registers = new Map<number, number>();
  state: number = State.off;
  /** As heard last. */
  command: MitCommand = limp;
  private shaft: Shaft = { position_rad: 0, velocity_rad_s: 0, torque_nm: 0 };
  private readonly motor = new Motor();
  private silence_s = 0;

  constructor(
    model: DriveModel<Entry>,
    private readonly range: MitRange,
  ) {
    super(model);
    const { registers } = this;
    registers.set(Register.id, model.map.id);
    registers.set(Register.controlMode, MIT_MODE);
    registers.set(Register.hardware, HARDWARE);
    registers.set(Register.firmware, FIRMWARE);
    registers.set(Register.positionRange, range.position_rad);
    registers.set(Register.velocityRange, range.velocity_rad_s);
    registers.set(Register.torqueRange, range.torque_nm);
    this.boot();
  }

  override get id(): number {
    return this.registers.get(Register.id)!;
  }

  override set id(id: number) {
    this.registers.set(Register.id, id);
  }

  override get loop(): Loop | undefined {
    if (!this.powered || this.state !== State.on) return undefined;
    return { ...this.command, limit_nm: this.range.torque_nm };
  }

  override update(shaft: Shaft, dt_s: number): void {
    this.shaft = shaft;
    this.silence_s += dt_s;
    const timeout_s = (this.registers.get(Register.timeout) ?? 0) * TIMEOUT_S;
    if (timeout_s > 0 && this.silence_s > timeout_s) this.giveUp(State.unheard);
    const share = Math.abs(shaft.torque_nm) / this.torqueLimit_nm;
    if (this.motor.update(share, shaft.torque_nm / TORQUE_NM_A, dt_s)) this.overload();
    if (this.motor.temperature_c > MAX_C) this.giveUp(Fault.overheating);
  }

  override overload(): void {
    this.state = Fault.overload;
    this.motor.rest();
  }

  answer({ id, data }: CanFrame): CanFrame | undefined {
    const asked = id === 0x7ff ? parseRegister(data) : undefined;
    if (asked?.id === this.id) return this.register(asked.register, asked.written ? asked.value : undefined);
    if (id !== this.id) return undefined;
    const special = decodeSpecial(data);
    const command = special ? undefined : decodeCommand(data, this.range);
    const able = this.state === State.off || this.state === State.on;
    if (special === 'enable' && able) this.state = State.on;
    if (special === 'disable' && able) this.state = State.off;
    if (special === 'clear' && !able) this.state = State.off;
    if (special) this.command = limp;
    if (command && this.state === State.on) this.command = command;
    this.silence_s = 0;
    return this.feedback();
  }

  protected override boot(): void {
    this.state = State.off;
    this.command = limp;
    this.registers.set(Register.timeout, 0);
    this.motor.rest();
  }

  private giveUp(state: number): void {
    if (this.state !== State.on) return;
    this.state = state;
    this.command = limp;
  }

  private register(register: number, value: number | undefined): CanFrame {
    const { registers } = this;
    const own = this.answersAs ?? this.id;
    if (value !== undefined && !fixed.includes(register)) registers.set(register, value);
    return { ...writeRegister(own, register, registers.get(register) ?? 0), id: HOST };
  }

  private feedback(): CanFrame {
    const { shaft, state, range } = this;
    const celsius = Math.round(this.motor.temperature_c);
    const said = { ...shaft, id: this.answersAs ?? this.id, state, driver_c: celsius, rotor_c: celsius };
    return { id: HOST, extended: false, data: encodeFeedback(said, range) };
  }
}
