import { expect, it } from 'vitest';
import { RobotDriver } from '../../drivers/robotDriver.js';
import { UserError } from '../../src/base/errors.js';
import { loadRobot } from '../../src/robot/load.js';
import { robotSchema } from '../../src/robot/spec.js';

it('a robot with a camera is not run on hardware, where nobody would feed its policy pictures', () => {
  const { spec, path } = loadRobot('arm');
  const camera = { kind: 'gray', width: 16, height: 16, fov_rad: 1, position_m: [0, 0, 0.3] };
  const seeing = robotSchema.parse({ ...spec, camera });
  const open = () => new RobotDriver({ spec: seeing, path, ports: { servos: '/dev/null' } });
  expect(open).toThrow(UserError);
  expect(open).toThrow(`${path}: camera: no driver for a real gray camera is here`);
});
