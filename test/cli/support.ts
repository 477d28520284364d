import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/files.js';
import { Random } from '../../src/base/random.js';
import { actorLayout, exportActor, sacConfig } from '../../src/learn/sac/index.js';
import { type Bundle, writeBundle } from '../../src/policy/bundle.js';
import { GaussianPolicy } from '../../src/policy/gaussian.js';
import { contractOf } from '../../src/policy/manifest.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `reverie` as a person would, in a process of its own. */
export function reverie(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The object on the last line of standard output. */
export function lastJson({ stdout }: Outcome): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
}

/** A policy with small random weights: it can do nothing, but everything that fits fits. */
export function untrainedBundle(folder: string, robotName: string, taskName: string): Bundle {
  const { spec } = loadRobot(robotName);
  const task = createTask(taskName, spec);
  const sizes = {
    observations: observationSize(task.contract),
    actions: spec.joints.length,
    config: sacConfig('sac', { actor_hidden: [32, 32] }),
  };
  const weights = new Float32Array(new GaussianPolicy(actorLayout(sizes)).network.parameters.length);
  new Random(1).fillUniform(weights, -0.1, 0.1);
  return writeBundle(folder, {
    manifest: {
      name: `${robotName}-${taskName}-untrained`,
      ...contractOf(spec, task),
      training: null,
      evaluation: null,
    },
    onnx: exportActor(sizes, weights, {}),
  });
}
