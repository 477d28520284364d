import type { BusOf } from '../../src/robot/busSpec.js';
import {
  type DriveModel,
  EmulatedDrive,
  type EmulatedLine,
  type Loop,
  Motor,
  type Shaft,
} from '../emulator/drive.js';
import type { WireFaults } from '../emulator/faults.js';
import { Framer, lines } from '../framing.js';
import {
  decodeRequest,
  encodeReply,
  Identity,
  type Kind,
  Mode,
  padded,
  parseSend,
  Register,
  type Write,
} from './codec.js';

type Entry = BusOf<'moteus'>['joints'][string];

const TURN_RAD = 2 * Math.PI;
const FAULT = 1;
/** Codes of moteus's fault register. */
const Code = { overTemperature: 39, overload: 33 } as const;
const MAX_C = 75;
/** Of a current that nobody sees but the temperature. */
const TORQUE_NM_A = 1;
const MODEL = 0x0120;
const FIRMWARE = 0x010b;

/** A moteus: registers, a position loop with its own gains, a watchdog that comes with each command. */
export class EmulatedMoteus extends EmulatedDrive<Entry> {
  override id: number;
  readonly registers = new Map<number, number>();
  private readonly motor = new Motor();
  private silence_s = 0;
  /** Where velocity mode holds on to, rev. */
  private shaft: Shaft = { position_rad: 0, velocity_rad_s: 0, torque_nm: 0 };

  constructor(model: DriveModel<Entry>) {
    super(model);
    this.id = model.map.id;
    this.boot();
  }

  get mode(): number {
    return this.of(Register.mode);
  }

  override get loop(): Loop | undefined {
    if (!this.powered) return undefined;
    const limit_nm = Math.min(this.torqueLimit_nm, this.of(Register.maxTorque));
    const { kp_nm_rad, kd_nm_s_rad } = this.gains;
    const { position_rad } = this.shaft;
    if (this.mode === Mode.position) {
      const position = this.of(Register.commandPosition);
      return {
        position_rad: Number.isNaN(position) ? position_rad : position * TURN_RAD,
        velocity_rad_s: this.of(Register.commandVelocity) * TURN_RAD,
        kp_nm_rad: kp_nm_rad * this.of(Register.kpScale),
        kd_nm_s_rad: kd_nm_s_rad * this.of(Register.kdScale),
        torque_nm: this.of(Register.feedForward),
        limit_nm,
      };
    }
    // After its watchdog it brakes.
    const brake = { position_rad, velocity_rad_s: 0, kp_nm_rad: 0, kd_nm_s_rad, torque_nm: 0, limit_nm };
    return this.mode === Mode.timeout ? brake : undefined;
  }

  override update(shaft: Shaft, dt_s: number, supply_v: number): void {
    const { registers } = this;
    this.shaft = shaft;
    const share = Math.abs(shaft.torque_nm) / this.torqueLimit_nm;
    if (this.motor.update(share, shaft.torque_nm / TORQUE_NM_A, dt_s)) this.overload();
    if (this.motor.temperature_c > MAX_C) this.giveUp(Code.overTemperature);
    registers.set(Register.position, shaft.position_rad / TURN_RAD);
    registers.set(Register.velocity, shaft.velocity_rad_s / TURN_RAD);
    registers.set(Register.torque, shaft.torque_nm);
    registers.set(Register.voltage, Math.round(2 * supply_v));
    registers.set(Register.temperature, Math.round(this.motor.temperature_c));
    this.silence_s += dt_s;
    if (this.mode === Mode.position && this.silence_s > this.of(Register.watchdog))
      registers.set(Register.mode, Mode.timeout);
  }

  override overload(): void {
    this.giveUp(Code.overload);
  }

  /** @returns the values that a frame asks for; undefined where it is none */
  answer(data: Uint8Array): Write[] | undefined {
    const request = decodeRequest(data);
    if (!request) return undefined;
    for (const { register, values } of request.writes)
      for (const [i, value] of values.entries()) this.write(register + i, value);
    return request.reads.map(({ register, kind, count }) => ({
      register,
      kind,
      values: Array.from({ length: count }, (_, i) => clip(kind, this.of(register + i))),
    }));
  }

  protected override boot(): void {
    this.registers.clear();
    this.registers.set(Register.mode, Mode.stop);
    this.registers.set(Identity.model, MODEL);
    this.registers.set(Identity.firmware, FIRMWARE);
    this.motor.rest();
  }

  private write(register: number, value: number): void {
    if (register === Register.mode) {
      // Out of a fault or a time-out only a stop leads.
      if (value !== Mode.stop && (this.mode === FAULT || this.mode === Mode.timeout)) return;
      if (value === Mode.position) this.silence_s = 0;
      if (value === Mode.stop) this.registers.set(Register.fault, 0);
    } else if (register < Register.commandPosition) return;
    this.registers.set(register, value);
  }

  private giveUp(code: number): void {
    this.registers.set(Register.mode, FAULT);
    this.registers.set(Register.fault, code);
    this.motor.rest();
  }

  private of(register: number): number {
    return this.registers.get(register) ?? 0;
  }
}

const mostOf: Readonly<Record<Kind, number>> = {
  int8: 127,
  int16: 32767,
  int32: 2 ** 31 - 1,
  float: Infinity,
};

function clip(kind: Kind, value: number): number {
  return Math.min(mostOf[kind], Math.max(-mostOf[kind], value));
}

/** An fdcanusb with drives on its bus. */
export class EmulatedFdcanusb implements EmulatedLine {
  private readonly framer = new Framer(lines(256, '\n', (line) => line));

  constructor(
    readonly drives: readonly EmulatedMoteus[],
    private readonly faults: WireFaults,
  ) {}

  receive(bytes: Uint8Array): void {
    const answers: Uint8Array[] = [];
    const say = (line: string) => answers.push(Buffer.from(`${line}\n`, 'latin1'));
    this.framer.push(bytes, (line) => {
      const sent = parseSend(line);
      if (!sent) {
        say('ERR unknown command');
        return;
      }
      say('OK');
      for (const drive of this.drives) {
        if (!drive.powered || drive.id !== sent.destination) continue;
        const reply = drive.answer(sent.data);
        if (!reply || !sent.reply || drive.silent || reply.length === 0) continue;
        const id = ((drive.answersAs ?? drive.id) << 8) | sent.source;
        say(`rcv ${id.toString(16)} ${Buffer.from(padded(encodeReply(reply))).toString('hex')} E B F`);
      }
    });
    this.faults.apply(answers);
  }
}
