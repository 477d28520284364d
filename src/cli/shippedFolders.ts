import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compileModel } from '../../sim/model.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { packageRoot } from '../base/files.js';
import { loadLaunch } from '../launch/launch.js';
import { taskOf } from '../launch/taskOf.js';
import { admit } from '../policy/admission.js';
import { readBundle } from '../policy/bundle.js';
import { loadPolicy } from '../policy/inference.js';
import { loadRobot } from '../robot/load.js';
import { createTask } from '../tasks/index.js';
import type { Finding } from './checks.js';

/** Opens everything in `robots/`, `policies/` and `launch/` of the package the way the commands would. */
export async function checkShippedFolders(): Promise<Finding[]> {
  return [await checkRobots(), checkEach('policies', openPolicy), checkEach('launch', openLaunchFile)];
}

/** Each robot's file parses, its model compiles, and the two fit. */
async function checkRobots(): Promise<Finding> {
  const mj = await loadMujoco();
  return checkEach('robots', (name) => compileModel(mj, loadRobot(name)).delete());
}

/** Each policy is whole, can be run, and is admitted to the robot that it names. */
function openPolicy(name: string): void {
  const bundle = readBundle(name);
  loadPolicy(bundle);
  const { spec } = loadRobot(bundle.manifest.robot);
  const { contract } = createTask(bundle.manifest.task, spec);
  const admission = admit(bundle.manifest, { spec, contract });
  if (!admission.admitted) throw new Error(admission.reasons.join('; '));
}

/** Each launch file is as its schema says, and its robot can do its task. */
function openLaunchFile(name: string): void {
  const launch = loadLaunch(join(packageRoot, 'launch', name));
  taskOf(launch, loadRobot(launch.robot).spec);
}

function checkEach(folder: string, open: (name: string) => void): Finding {
  const path = join(packageRoot, folder);
  const names = existsSync(path)
    ? readdirSync(path)
        // Launch files of ROS 2 lie beside ours.
        .filter((name) => !name.startsWith('.') && !name.endsWith('.xml'))
        .sort()
    : [];
  const faults: string[] = [];
  for (const name of names) {
    try {
      open(name);
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`);
    }
  }
  return {
    part: `${folder}/`,
    required: true,
    works: faults.length === 0,
    found: faults.length > 0 ? faults.join('\n') : names.join(', ') || 'none',
  };
}
