import type { ImuBusSpec } from '../../src/robot/busSpec.js';
import { multiply, rotateInverse } from '../../src/robot/rotation.js';
import type { RobotState } from '../../src/robot/state.js';
import { imuFamilies } from '../imu/families.js';
import { fromEuler, type ImuSample } from '../imu/sample.js';
import type { WireFaults } from './faults.js';

type Vector = [number, number, number];

/** An IMU that sends by itself, as it sits in the body. */
export class EmulatedImu {
  silent = false;
  private readonly mount: readonly [number, number, number, number];
  private readonly scratch = new Float64Array(4);
  private since_s = 0;
  private index = 0;

  constructor(
    private readonly bus: ImuBusSpec,
    private readonly faults: WireFaults,
  ) {
    const [roll, pitch, yaw] = bus.mount_rpy_rad;
    this.mount = fromEuler(roll, pitch, yaw);
  }

  update(state: RobotState, dt_s: number): void {
    this.since_s += dt_s;
    if (this.since_s < 1 / this.bus.rate_hz) return;
    this.since_s -= 1 / this.bus.rate_hz;
    const bytes = imuFamilies[this.bus.protocol].encode(this.measure(state), this.index++);
    if (!this.silent) this.faults.apply([bytes]);
  }

  private measure(state: RobotState): Required<ImuSample> {
    const { mount, scratch } = this;
    const turned = (v: Float64Array): Vector => {
      rotateInverse(mount, v, scratch);
      return [scratch[0], scratch[1], scratch[2]];
    };
    const gyro_rad_s = turned(state.gyro_rad_s);
    const accel_m_s2 = turned(state.accel_m_s2);
    multiply(state.orientation, mount, scratch);
    return { orientation: [scratch[0], scratch[1], scratch[2], scratch[3]], gyro_rad_s, accel_m_s2 };
  }
}
