import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/base/files.js';

/**
 * A shipped robot with watchdogs that a busy machine does not try, for tests of something else. Those of
 * the watchdogs have the robot as it is shipped.
 * @returns its folder, made within `folder`
 */
export function patientRobot(name: string, folder: string): string {
  const robot = join(folder, name);
  cpSync(join(packageRoot, 'robots', name), robot, { recursive: true });
  const path = join(robot, 'robot.yaml');
  const shipped = readFileSync(path, 'utf8');
  const patient = shipped.replace(
    /^watchdog: .*$/m,
    'watchdog: { sensor_age_s: 2, sensor_lost_s: 5, command_age_s: 5 }',
  );
  if (patient === shipped) throw new Error(`${path}: says nothing of a watchdog`);
  writeFileSync(path, patient);
  return robot;
}
