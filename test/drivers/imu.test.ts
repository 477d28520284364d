import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { EmulatedPort } from '../../drivers/emulator/bus.js';
import { EmulatedImu } from '../../drivers/emulator/imu.js';
import { ImuDriver } from '../../drivers/imu/driver.js';
import { fromEuler } from '../../drivers/imu/sample.js';
import { busSchema, type ImuBusSpec } from '../../src/robot/busSpec.js';
import { loadRobot } from '../../src/robot/load.js';
import { RobotState } from '../../src/robot/state.js';
import { until } from './support.js';

const { spec } = loadRobot('quadruped');
const folder = mkdtempSync(join(tmpdir(), 'imu-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The coarsest of the wires: 0.01° and a thousandth of g, and what rounding of a rotation adds. */
const NEAR = { orientation: 1e-3, accel_m_s2: 0.03, gyro_rad_s: 0.01 };
const RATE_HZ = 100;

const busOf = (protocol: ImuBusSpec['protocol'], more: object = {}) =>
  busSchema.parse({
    name: 'imu',
    protocol,
    baud: 921_600,
    rate_hz: RATE_HZ,
    mount_rpy_rad: [0.3, -0.2, 1.5],
    ...more,
  }) as ImuBusSpec;

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of close.splice(0).reverse()) await each();
});

/** An IMU that goes on by itself, and the body that it sits in. */
function emulate(bus: ImuBusSpec): {
  readonly port: EmulatedPort;
  readonly imu: EmulatedImu;
  readonly body: RobotState;
} {
  const port = new EmulatedPort('imu', 1, join(folder, bus.protocol));
  const imu = new EmulatedImu(bus, port.faults);
  const body = RobotState.for(spec);
  body.orientation.set(fromEuler(0.1, -0.3, 0.7));
  body.accel_m_s2.set([0.5, -1, 9.5]);
  body.gyro_rad_s.set([0.2, -0.4, 1]);
  const timer = setInterval(() => imu.update(body, 1 / RATE_HZ), 1e3 / RATE_HZ);
  close.push(async () => {
    clearInterval(timer);
    port.unplug();
  });
  return { port, imu, body };
}

async function driverOf(
  bus: ImuBusSpec,
  port: string,
): Promise<{ driver: ImuDriver; sample: RobotState; news: () => boolean }> {
  const driver = new ImuDriver({ bus, path: 'robot.yaml', port });
  const sample = RobotState.for(spec);
  close.push(async () => {
    await driver.deactivate();
    await driver.close();
  });
  await driver.configure();
  await driver.activate();
  return { driver, sample, news: () => driver.read(sample) };
}

const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));
/** A rotation is two quaternions. */
const turned = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.min(
    far(a, b),
    far(
      Array.from(a, (x) => -x),
      b,
    ),
  );

describe.each(['bno085', 'witmotion', 'xsens', 'microstrain'] as const)(
  'an IMU that speaks %s',
  (protocol) => {
    const bus = busOf(protocol);

    it('says how the body is turned, and what acts on it, however it is mounted', async () => {
      const { body, port } = emulate(bus);
      const { sample, news } = await driverOf(bus, port.path);
      await until(() => news() && turned(sample.orientation, body.orientation) < NEAR.orientation);
      expect(far(sample.accel_m_s2, body.accel_m_s2)).toBeLessThan(NEAR.accel_m_s2);
      // One that has no gyro is a body that stands still here.
      const rates = protocol === 'bno085' ? [0, 0, 0] : body.gyro_rad_s;
      await until(() => news() && far(sample.gyro_rad_s, rates) < NEAR.gyro_rad_s);
      const before = sample.time_s;
      body.orientation.set(fromEuler(-0.2, 0.4, -1));
      await until(() => news() && turned(sample.orientation, body.orientation) < NEAR.orientation);
      expect(sample.time_s).toBeGreaterThan(before);
      // Joints are others' business.
      expect(Array.from(sample.position_rad)).toEqual(Array.from(RobotState.for(spec).position_rad));
    });

    it('is opened anew after silence and after it was unplugged, and samples come again', async () => {
      const { imu, port } = emulate(bus);
      const { driver, news } = await driverOf(bus, port.path);
      await until(news);
      imu.silent = true;
      await until(() => driver.counts.reopened > 0);
      imu.silent = false;
      news();
      await until(news);
      port.unplug();
      const { reopened } = driver.counts;
      await new Promise((resolve) => setTimeout(resolve, 100));
      port.plug();
      await until(() => driver.counts.reopened > reopened);
      news();
      await until(news);
    });

    it('gives no sample of damaged frames that was not sent', async () => {
      const { body, port } = emulate(bus);
      const { driver, sample, news } = await driverOf(bus, port.path);
      await until(news);
      Object.assign(port.faults, { flip: 0.3, truncate: 0.1 });
      const { samples } = driver.counts;
      let strange = 0;
      await until(() => {
        if (news() && turned(sample.orientation, body.orientation) > NEAR.orientation) strange++;
        return driver.counts.samples > samples + 30;
      });
      expect(strange).toBe(0);
    });
  },
);

it('another IMU than robot.yaml says, and none at all, are one message each', async () => {
  const { port } = emulate(busOf('xsens'));
  await expect(driverOf(busOf('witmotion'), port.path)).rejects.toThrow(
    /xsens at 921600 baud: no frame of witmotion.*bytes of something else.*bus "imu"/,
  );
  await expect(driverOf(busOf('xsens'), join(folder, 'none'))).rejects.toThrow(
    /none at 921600 baud: No such file/,
  );
});

it('an IMU that sends more than its wire carries is refused with the arithmetic', () => {
  const slow = busOf('xsens', { baud: 9600, rate_hz: 400 });
  expect(() => new ImuDriver({ bus: slow, path: 'robot.yaml', port: '/dev/null' })).toThrow(
    /robot.yaml: bus "imu": a cycle of \d+ bytes × 10 bits \/ 9600 baud .* does not fit/,
  );
});
