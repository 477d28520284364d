import { filter, firstValueFrom, timeout } from 'rxjs';
import type { SimDriverOptions } from '../../sim/realtimeDriver.js';
import { RobotProcess, type RobotProcessOptions } from '../../src/control/robotProcess.js';
import type { Step } from '../../src/control/stepRecord.js';
import { SacLearner, sacConfig } from '../../src/learn/sac/index.js';
import type { Bundle, BundleContents } from '../../src/policy/bundle.js';
import { contractOf } from '../../src/policy/manifest.js';
import { loadRobot } from '../../src/robot/load.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';

export const driverModule = (file: string) => new URL(file, import.meta.url).href;
export const simOptions: SimDriverOptions = { robot: 'quadruped', seed: 1, randomisation: 'none' };

/**
 * The quadruped with watchdogs so long that a busy machine does not set them off: what is tested is
 * what happens when they go off, not whether this machine is quick.
 */
export const patient: RobotSpec = (() => {
  const { spec } = loadRobot('quadruped');
  const watchdog = { ...spec.watchdog, sensor_age_s: 0.5, sensor_lost_s: 1, command_age_s: 1 };
  // It also rises and sits down quicker than a robot with a body worth sparing.
  return { ...spec, watchdog, stop: { ...spec.stop, seconds: 0.5 } };
})();

/** Starts the quadruped in simulation, on an even floor without pushes. */
export function startQuadruped(options: Partial<RobotProcessOptions> = {}): Promise<RobotProcess> {
  return RobotProcess.start({
    spec: patient,
    driver: { module: driverModule('../../sim/realtimeDriver.js'), options: simOptions },
    task: 'walk',
    explore: 0,
    seed: 1,
    fifo: true,
    ...options,
  });
}

/** Waits for a condition on what is visible from outside. @throws Error when it does not come true */
export async function eventually(what: string, holds: () => boolean, limit_s = 20): Promise<void> {
  for (const end = Date.now() + 1e3 * limit_s; !holds(); ) {
    if (Date.now() > end) throw new Error(`not within ${limit_s} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The first step that is wanted. */
export function stepWhere(robot: RobotProcess, wanted: (step: Step) => boolean): Promise<Step> {
  return firstValueFrom(robot.steps.pipe(filter(wanted), timeout(20_000)));
}

/** A policy that nobody has trained: small, and nearly still. */
export async function untrainedBundle(robot = 'quadruped', taskName = 'walk'): Promise<BundleContents> {
  const { spec } = loadRobot(robot);
  const task = createTask(taskName, spec);
  const learner = await SacLearner.create({
    observations: observationSize(task.contract),
    actions: spec.joints.length,
    config: sacConfig('sac', { actor_hidden: [16], critic_hidden: [16] }),
    seed: 1,
  });
  const onnx = learner.exportActor();
  await learner.dispose();
  return {
    manifest: {
      name: 'untrained',
      ...contractOf(spec, task),
      training: null,
      evaluation: null,
    },
    onnx,
  };
}

/** The same as if it had been read from a folder. */
export function inMemory({ manifest, onnx }: BundleContents): Bundle {
  const network = { file: 'policy.onnx' as const, sha256: '0'.repeat(64), ...manifest.network };
  return { manifest: { format: 1, ...manifest, network }, onnx, path: 'memory' };
}
