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
import { AxisState, encodeLine, parseLine } from './codec.js';

type Entry = BusOf<'odrive'>['joints'][string];

const TURN_RAD = 2 * Math.PI;
const Error_ = { watchdog: 0x800, motor: 0x40 } as const;
const MAX_C = 90;

/** Properties of the board. */
const board: Readonly<Record<string, string>> = {
  vbus_voltage: '24.0',
  hw_version_major: '3',
  fw_version_major: '0',
  fw_version_minor: '5',
};

/** An axis of an ODrive: properties, a position and a velocity loop, a watchdog. */
export class EmulatedAxis extends EmulatedDrive<Entry> {
  override id: number;
  readonly properties = new Map<string, number>();
  private readonly motor = new Motor();
  private goal: Pick<Loop, 'position_rad' | 'velocity_rad_s' | 'torque_nm'> | undefined;
  private fed_s = 0;
  shaft: Shaft = { position_rad: 0, velocity_rad_s: 0, torque_nm: 0 };

  constructor(model: DriveModel<Entry>) {
    super(model);
    this.id = model.map.id;
    this.boot();
  }

  override get loop(): Loop | undefined {
    if (!this.powered || this.of('current_state') !== AxisState.closedLoop) return undefined;
    const limit_nm = Math.min(this.torqueLimit_nm, this.of('motor.config.torque_lim'));
    if (this.goal) return { ...this.goal, ...this.gains, limit_nm };
    const { kd_nm_s_rad } = this.gains;
    const { position_rad } = this.shaft;
    return { position_rad, velocity_rad_s: 0, kp_nm_rad: 0, kd_nm_s_rad, torque_nm: 0, limit_nm };
  }

  override update(shaft: Shaft, dt_s: number): void {
    this.shaft = shaft;
    const { properties } = this;
    const { torque_nm_a, gear_ratio } = this.model.map;
    const current_a = (shaft.torque_nm * gear_ratio) / torque_nm_a;
    if (this.motor.update(Math.abs(shaft.torque_nm) / this.torqueLimit_nm, current_a, dt_s)) this.overload();
    if (this.motor.temperature_c > MAX_C) this.giveUp(Error_.motor);
    properties.set('motor.current_control.Iq_measured', current_a);
    properties.set('fet_thermistor.temperature', this.motor.temperature_c);
    this.fed_s += dt_s;
    if (this.of('config.enable_watchdog') === 1 && this.fed_s > this.of('config.watchdog_timeout'))
      this.giveUp(Error_.watchdog);
  }

  override overload(): void {
    this.giveUp(Error_.motor);
  }

  feed(): void {
    this.fed_s = 0;
  }

  /** A goal of the position loop; undefined brakes. */
  follow(goal: typeof this.goal): void {
    this.goal = goal;
    this.feed();
  }

  clear(): void {
    this.properties.set('error', 0);
  }

  write(name: string, value: number): void {
    if (name === 'requested_state') {
      // With an error an axis stays idle.
      if (value === AxisState.closedLoop && this.of('error') !== 0) return;
      this.properties.set('current_state', value);
    } else if (this.properties.has(name)) this.properties.set(name, value);
    if (name === 'config.enable_watchdog') this.feed();
  }

  of(name: string): number {
    return this.properties.get(name) ?? Number.NaN;
  }

  protected override boot(): void {
    const { properties } = this;
    properties.set('current_state', AxisState.idle);
    properties.set('error', 0);
    properties.set('motor.config.torque_lim', this.torqueLimit_nm);
    properties.set('config.enable_watchdog', 0);
    properties.set('config.watchdog_timeout', 0);
    this.goal = undefined;
    this.motor.rest();
  }

  private giveUp(bit: number): void {
    if (this.of('current_state') !== AxisState.closedLoop) return;
    this.properties.set('current_state', AxisState.idle);
    this.properties.set('error', this.of('error') | bit);
    this.motor.rest();
  }
}

/** An ODrive with its axes behind a serial line. */
export class EmulatedOdrive implements EmulatedLine {
  private readonly framer = new Framer(lines(256, '\n', parseLine));

  constructor(
    readonly drives: readonly EmulatedAxis[],
    private readonly faults: WireFaults,
  ) {}

  receive(bytes: Uint8Array): void {
    const answers: Uint8Array[] = [];
    this.framer.push(bytes, (line) => {
      if (!('text' in line)) return;
      const answer = this.answer(line.text.split(/\s+/));
      if (answer !== undefined) answers.push(Buffer.from(encodeLine(answer, line.checked), 'latin1'));
    });
    this.faults.apply(answers);
  }

  private answer([command, ...words]: readonly string[]): string | undefined {
    const numbers = words.map(Number);
    const axis = this.axis(numbers[0]);
    switch (command) {
      case 'p':
        axis?.follow({
          position_rad: numbers[1] * TURN_RAD,
          velocity_rad_s: (numbers[2] ?? 0) * TURN_RAD,
          torque_nm: numbers[3] ?? 0,
        });
        return undefined;
      case 'v':
        axis?.follow(undefined);
        return undefined;
      case 'u':
        axis?.feed();
        return undefined;
      case 'f':
        if (!axis || axis.silent) return undefined;
        return `${(axis.shaft.position_rad / TURN_RAD).toFixed(6)} ${(axis.shaft.velocity_rad_s / TURN_RAD).toFixed(6)}`;
      case 'sc':
        for (const each of this.drives) each.clear();
        return undefined;
      case 'r':
        return this.read(words[0]);
      case 'w':
        this.property(words[0])?.axis.write(this.property(words[0])!.name, numbers[1]);
        return undefined;
      default:
        return 'unknown command';
    }
  }

  private read(path: string): string | undefined {
    if (path in board) return board[path];
    const found = this.property(path);
    if (!found) return 'invalid property';
    if (found.axis.silent) return undefined;
    const value = found.axis.of(found.name);
    return Number.isNaN(value) ? 'invalid property' : String(value);
  }

  private property(path = ''): { readonly axis: EmulatedAxis; readonly name: string } | undefined {
    const match = /^axis(\d)\.(.+)$/.exec(path);
    const axis = match ? this.axis(Number(match[1])) : undefined;
    return axis && { axis, name: match![2] };
  }

  private axis(id: number): EmulatedAxis | undefined {
    return this.drives.find((d) => d.id === id && d.powered);
  }
}
