import type { DriveBusSpec } from '../../src/robot/busSpec.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { EmulatedSlcan } from '../can/emulatedAdapter.js';
import { DynamixelEmulator, EmulatedDynamixel } from '../dynamixel/emulator.js';
import { EmulatedServo } from '../feetech/emulatedServo.js';
import { FeetechEmulator } from '../feetech/emulator.js';
import { EmulatedMitDrive } from '../mitcan/emulatedDrive.js';
import { EmulatedFdcanusb, EmulatedMoteus } from '../moteus/emulator.js';
import { EmulatedAxis, EmulatedOdrive } from '../odrive/emulator.js';
import { PseudoTerminal } from '../serial/pseudoTerminal.js';
import type { DriveModel, EmulatedLine } from './drive.js';
import { WireFaults } from './faults.js';

/** A port with a line behind it. */
export class EmulatedPort {
  readonly faults: WireFaults;
  onData: (bytes: Uint8Array) => void = () => {};
  private terminal: PseudoTerminal | undefined;

  /** @param link stable name of the port */
  constructor(
    readonly name: string,
    seed: number,
    private readonly link?: string,
  ) {
    this.faults = new WireFaults(seed, name, (bytes) => this.terminal?.write(bytes));
    this.plug();
  }

  /** What a host opens. */
  get path(): string {
    return this.link ?? this.terminal!.path;
  }

  /** The adapter goes from its socket. */
  unplug(): void {
    this.terminal?.close();
    this.terminal = undefined;
  }

  /** It comes back: a port of the same name, if it has one. */
  plug(): void {
    if (this.terminal) return;
    this.terminal = new PseudoTerminal(this.link);
    this.terminal.onData = (bytes) => this.onData(bytes);
  }
}

/** The drives of a bus, in the order of the robot's joints, on a line. */
export function emulateLine(spec: RobotSpec, bus: DriveBusSpec, faults: WireFaults): EmulatedLine {
  switch (bus.protocol) {
    case 'feetech':
      return new FeetechEmulator(
        models(spec, bus).map((m) => new EmulatedServo(m)),
        faults,
      );
    case 'dynamixel':
      return new DynamixelEmulator(
        models(spec, bus).map((m) => new EmulatedDynamixel(m)),
        faults,
      );
    case 'mitcan':
      return new EmulatedSlcan(
        models(spec, bus).map((m) => new EmulatedMitDrive(m, bus.range)),
        faults,
      );
    case 'moteus':
      return new EmulatedFdcanusb(
        models(spec, bus).map((m) => new EmulatedMoteus(m)),
        faults,
      );
    case 'odrive':
      return new EmulatedOdrive(
        models(spec, bus).map((m) => new EmulatedAxis(m)),
        faults,
      );
  }
}

function models<B extends DriveBusSpec>(spec: RobotSpec, bus: B): DriveModel<B['joints'][string]>[] {
  return spec.joints
    .filter((joint) => joint.name in bus.joints)
    .map((joint) => ({ joint, map: bus.joints[joint.name] as B['joints'][string] }));
}
