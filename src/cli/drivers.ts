import { UserError } from '../base/errors.js';
import type { DriverChoice } from '../control/hostedDriver.js';
import type { Launch } from '../launch/launch.js';
import type { Robot } from '../robot/load.js';

/** The driver module that a launch file names; imported in the driver worker alone. @throws UserError where it is not for this robot */
export function driverFor(launch: Launch, robot: Robot): DriverChoice {
  if (launch.driver.kind === 'serial')
    return {
      module: new URL('../../drivers/remoteDriver.js', import.meta.url).href,
      options: {
        module: new URL('../../drivers/robotDriver.js', import.meta.url).href,
        options: { spec: robot.spec, path: robot.path, ports: launch.driver.ports },
        fifo: launch.realtime.fifo,
      },
    };
  const { seed, randomisation, start } = launch.driver;
  if (start === 'lying' && robot.spec.base === 'fixed')
    throw new UserError(
      `${launch.path}: driver.start: ${robot.spec.name} has a fixed base and cannot lie; expected standing`,
    );
  return {
    module: new URL('../../sim/realtimeDriver.js', import.meta.url).href,
    options: { robot: robot.path, seed, randomisation, start },
  };
}
