import { UserError } from '../../src/base/errors.js';
import type { ImuBusSpec } from '../../src/robot/busSpec.js';
import type { Driver } from '../../src/robot/driver.js';
import { multiply, rotate } from '../../src/robot/rotation.js';
import type { RobotState } from '../../src/robot/state.js';
import { now_s } from '../bus/pace.js';
import { SerialWire } from '../bus/wire.js';
import { requireFit, serialSchedule } from '../schedule.js';
import { imuFamilies } from './families.js';
import { fromEuler, type ImuSample } from './sample.js';

export interface ImuOptions {
  readonly bus: ImuBusSpec;
  /** Of `robot.yaml`, for messages. */
  readonly path: string;
  /** Path of the port. */
  readonly port: string;
}

/** The first sample has come by then, or there is none. */
const FIRST_S = 1;
/** Silent for longer, the port is opened anew. */
const SILENT_S = 0.25;
const WATCH_MS = 50;
const level: Required<ImuSample> = {
  orientation: [1, 0, 0, 0],
  gyro_rad_s: [0, 0, 0],
  accel_m_s2: [0, 0, 0],
};

/** An IMU that sends by itself. A sample is published with each orientation that comes. */
export class ImuDriver implements Driver {
  readonly name: string;
  readonly counts = { samples: 0, reopened: 0 };
  private readonly mount: readonly [number, number, number, number];
  private readonly orientation = new Float64Array(4);
  private readonly gyro_rad_s = new Float64Array(3);
  private readonly accel_m_s2 = new Float64Array(3);
  private readonly before = new Float64Array(4);
  private readonly turned = new Float64Array(4);
  private beforeAt_s = Number.NaN;
  private wire: SerialWire<ImuSample> | undefined;
  private watching: NodeJS.Timeout | undefined;
  private heardAt_s = Number.NaN;
  private time_s = Number.NaN;
  private fresh = false;
  private hasGyro = false;
  private reopening = false;

  constructor(private readonly options: ImuOptions) {
    const { bus, path } = options;
    this.name = bus.protocol;
    const [roll, pitch, yaw] = bus.mount_rpy_rad;
    this.mount = fromEuler(roll, pitch, yaw);
    const bytes = imuFamilies[bus.protocol].encode(level, 0).length;
    requireFit(`${path}: bus "${bus.name}"`, serialSchedule(bytes, 0, 0), bus.baud, bus.rate_hz);
  }

  /** Opens the port and waits for a sample. @throws UserError naming the port and what to try */
  async configure(): Promise<void> {
    const { bus, port } = this.options;
    this.wire = await SerialWire.open(port, bus.baud, imuFamilies[bus.protocol].framing);
    this.wire.onFrame = (frame) => this.take(frame);
    for (const end = now_s() + FIRST_S; !this.fresh; ) {
      if (now_s() > end)
        throw new UserError(
          `${port} at ${bus.baud} baud: no frame of ${bus.protocol} in ${FIRST_S} s${
            this.wire.strays > 0 ? `, but ${this.wire.strays} bytes of something else` : ''
          }; are baud and protocol of bus "${bus.name}" those of the IMU, and does it send by itself?`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async activate(): Promise<void> {
    this.heardAt_s = now_s();
    this.watching = setInterval(() => this.watch(), WATCH_MS);
  }

  /** Writes orientation, rates, acceleration and the time; the rest is others'. */
  read(into: RobotState): boolean {
    if (!this.fresh) return false;
    this.fresh = false;
    into.time_s = this.time_s;
    into.orientation.set(this.orientation);
    into.gyro_rad_s.set(this.gyro_rad_s);
    into.accel_m_s2.set(this.accel_m_s2);
    return true;
  }

  write(): void {}

  async deactivate(): Promise<void> {
    clearInterval(this.watching);
  }

  async close(): Promise<void> {
    await this.wire?.close();
  }

  private take(sample: ImuSample): void {
    const { mount } = this;
    this.heardAt_s = now_s();
    if (sample.accel_m_s2) rotate(mount, sample.accel_m_s2, this.accel_m_s2);
    if (sample.gyro_rad_s) {
      this.hasGyro = true;
      rotate(mount, sample.gyro_rad_s, this.gyro_rad_s);
    }
    if (!sample.orientation) return;
    multiply(sample.orientation, [mount[0], -mount[1], -mount[2], -mount[3]], this.orientation);
    const norm = Math.hypot(...this.orientation);
    // What is no rotation is passed on as it is: the kernel is there to refuse it.
    if (norm > 0.5) for (let k = 0; k < 4; k++) this.orientation[k] /= norm;
    this.time_s = this.heardAt_s;
    if (!this.hasGyro) this.differentiate();
    this.counts.samples++;
    this.fresh = true;
  }

  /** Body rates of an IMU that does not say them: how far it turned since the sample before. */
  private differentiate(): void {
    const { before: b, turned, orientation, gyro_rad_s } = this;
    const dt_s = this.time_s - this.beforeAt_s;
    multiply([b[0], -b[1], -b[2], -b[3]], orientation, turned);
    if (dt_s > 0)
      for (let k = 0; k < 3; k++) gyro_rad_s[k] = (2 * Math.sign(turned[0]) * turned[k + 1]) / dt_s;
    b.set(orientation);
    this.beforeAt_s = this.time_s;
  }

  private watch(): void {
    if (this.reopening || now_s() - this.heardAt_s < SILENT_S) return;
    this.reopening = true;
    void this.wire!.reopen().then((opened) => {
      this.reopening = false;
      if (!opened) return;
      this.heardAt_s = now_s();
      this.beforeAt_s = Number.NaN;
      this.counts.reopened++;
      process.stderr.write(`${this.options.port}: opened anew after silence\n`);
    });
  }
}
