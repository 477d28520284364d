import type { ImuBusSpec } from '../../src/robot/busSpec.js';
import type { Framing } from '../framing.js';
import * as microstrain from './microstrain.js';
import * as rvc from './rvc.js';
import { DEGREE_RAD, type ImuSample, int16, STANDARD_GRAVITY_M_S2, toEuler } from './sample.js';
import * as witmotion from './witmotion.js';
import * as xsens from './xsens.js';

export interface ImuFamily {
  readonly framing: Framing<ImuSample>;
  /** What an IMU of this kind sends for a sample. @param index counts samples */
  encode(sample: Required<ImuSample>, index: number): Uint8Array;
}

const wit = (sample: Required<ImuSample>): Uint8Array =>
  Buffer.concat([
    witmotion.encode(
      witmotion.Kind.acceleration,
      [...sample.accel_m_s2, 0].map((a) => int16((a / (16 * STANDARD_GRAVITY_M_S2)) * 32768)),
    ),
    witmotion.encode(
      witmotion.Kind.rate,
      [...sample.gyro_rad_s, 0].map((g) => int16((g / (2000 * DEGREE_RAD)) * 32768)),
    ),
    witmotion.encode(
      witmotion.Kind.quaternion,
      sample.orientation.map((q) => int16(q * 32768)),
    ),
  ]);

export const imuFamilies: Readonly<Record<ImuBusSpec['protocol'], ImuFamily>> = {
  bno085: {
    framing: rvc.framing,
    encode: ({ orientation, accel_m_s2 }, index) => {
      const [roll_rad, pitch_rad, yaw_rad] = toEuler(orientation);
      return rvc.encode({ index: index & 255, yaw_rad, pitch_rad, roll_rad, accel_m_s2 });
    },
  },
  witmotion: { framing: witmotion.framing, encode: wit },
  xsens: { framing: xsens.framing, encode: xsens.encode },
  microstrain: { framing: microstrain.framing, encode: microstrain.encode },
};
