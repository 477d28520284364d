import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/files.js';
import type { ExperienceSizes } from '../../src/fleet/experience.js';
import { makeKeys } from '../../src/policy/signature.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';
import { Child } from './child.js';

const ROBOT = 'arm';
const TASK = 'reach';
/** Small, since it never learns here. */
const NETWORKS = { batch: 8, actor_hidden: [8], critic_hidden: [8] };

export interface LearnerProcess {
  readonly child: Child;
  readonly site: string;
  readonly run: string;
  readonly sizes: ExperienceSizes;
  /** Of its replay. */
  readonly capacity: number;
  readonly replay: string;
}

/**
 * `reverie learn`, as users start it, in a run in which it only stores: its first update would come
 * after more transitions than its replay holds.
 */
export function learnerProcess(
  folder: string,
  url: string,
  capacity: number,
  onLine?: (line: string) => void,
): LearnerProcess {
  const { spec } = loadRobot(ROBOT);
  const names = { site: 'bench', run: 'store' };
  const run = join(folder, 'learner');
  mkdirSync(run, { recursive: true });
  const launch = join(folder, 'launch.yaml');
  writeFileSync(
    launch,
    JSON.stringify({
      robot: ROBOT,
      task: TASK,
      driver: { kind: 'sim' },
      ...names,
      runs: folder,
      learner: { replay: capacity, warmup: capacity + 1, overrides: NETWORKS },
    }),
  );
  const { private: key } = makeKeys(join(folder, 'keys'));
  const reverie = join(packageRoot, 'bin/reverie.js');
  const args = ['learn', launch, '--run', run, '--broker', url, '--signing-key', key, '--engine', 'onnx'];
  return {
    child: new Child('learner', [process.execPath, reverie, ...args], onLine),
    ...names,
    sizes: { observation: observationSize(createTask(TASK, spec).contract), action: spec.joints.length },
    capacity,
    replay: join(run, 'replay.bin'),
  };
}
