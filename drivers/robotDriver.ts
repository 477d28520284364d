import { UserError } from '../src/base/errors.js';
import type { BusSpec } from '../src/robot/busSpec.js';
import type { Driver } from '../src/robot/driver.js';
import type { RobotSpec } from '../src/robot/spec.js';
import { type JointCommand, RobotState } from '../src/robot/state.js';
import { dynamixelDriver } from './dynamixel/family.js';
import { feetechDriver } from './feetech/family.js';
import { FootForce } from './footForce.js';
import { ImuDriver } from './imu/driver.js';
import { mitcanDriver } from './mitcan/family.js';
import { moteusDriver } from './moteus/family.js';
import { odriveDriver } from './odrive/family.js';

export interface RobotDriverOptions {
  readonly spec: RobotSpec;
  /** Of `robot.yaml`, for messages. */
  readonly path: string;
  /** Path of the port of each bus. */
  readonly ports: Readonly<Record<string, string>>;
}

/** A driver of a part of the robot: writes its part of a sample, and leaves the rest. */
type PartDriver = Driver & { readonly watchdogTrips?: number };

/** For the process of the buses. */
export async function createDriver(options: RobotDriverOptions): Promise<RobotDriver> {
  return new RobotDriver(options);
}

/** The driver of one bus. @throws UserError where its cycle does not fit its rate */
function busDriver(bus: BusSpec, spec: RobotSpec, path: string, port: string): PartDriver {
  switch (bus.protocol) {
    case 'feetech':
      return feetechDriver({ spec, bus, path, port });
    case 'dynamixel':
      return dynamixelDriver({ spec, bus, path, port });
    case 'mitcan':
      return mitcanDriver({ spec, bus, path, port });
    case 'moteus':
      return moteusDriver({ spec, bus, path, port });
    case 'odrive':
      return odriveDriver({ spec, bus, path, port });
    default:
      return new ImuDriver({ bus, path, port });
  }
}

/**
 * A robot of one bus or several, as one driver. Each bus keeps its own pace; a sample is made of the
 * newest of each, and is as old as the oldest of them: where one bus falls silent, the safety kernel
 * sees it by the sample's age, whatever the others say.
 */
export class RobotDriver implements Driver {
  readonly name = 'buses';
  readonly parts: readonly PartDriver[];
  private readonly sample: RobotState;
  private readonly times_s: Float64Array;
  private readonly footForce: FootForce;

  constructor({ spec, path, ports }: RobotDriverOptions) {
    // Nobody would fill the picture, and a policy would go by an image of nothing.
    if (spec.camera)
      throw new UserError(
        `${path}: camera: no driver for a real ${spec.camera.kind} camera is here, only the simulator has one; take "camera" out to run on hardware, with a policy that needs none`,
      );
    if (!spec.bus?.length)
      throw new UserError(`${path}: says nothing of its buses; the serial driver needs "bus"`);
    const names = spec.bus.map((b) => b.name);
    for (const name of Object.keys(ports))
      if (!names.includes(name))
        throw new UserError(
          `the launch file names a port for "${name}"; buses of ${path} are ${names.join(', ')}`,
        );
    this.parts = spec.bus.map((bus) => {
      const port = ports[bus.name];
      if (!port) throw new UserError(`the launch file names no port for the bus "${bus.name}" of ${path}`);
      return busDriver(bus, spec, path, port);
    });
    this.sample = RobotState.for(spec);
    this.times_s = new Float64Array(this.parts.length).fill(Number.NaN);
    this.footForce = new FootForce(spec);
  }

  get watchdogTrips(): number {
    return this.parts.reduce((sum, part) => sum + (part.watchdogTrips ?? 0), 0);
  }

  async configure(): Promise<void> {
    for (const part of this.parts) await part.configure();
  }

  async activate(): Promise<void> {
    for (const part of this.parts) await part.activate();
  }

  read(into: RobotState): boolean {
    const { parts, sample, times_s } = this;
    let newer = false;
    parts.forEach((part, i) => {
      if (!part.read(sample)) return;
      times_s[i] = sample.time_s;
      newer = true;
    });
    if (!newer || times_s.some(Number.isNaN)) return false;
    sample.time_s = Math.min(...times_s);
    this.footForce.update(sample);
    into.flat.set(sample.flat);
    return true;
  }

  write(command: JointCommand): void {
    for (const part of this.parts) part.write(command);
  }

  async deactivate(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.deactivate()));
  }

  async close(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.close()));
  }
}
