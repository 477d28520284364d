import {
  type DreamerConfig,
  DreamerNetworks,
  exportPolicy,
  policyNames,
  type WorldContract,
} from '../src/learn/dreamer/index.js';
import { type GaussianActor, GaussianPolicy } from '../src/policy/gaussian.js';
import { loadPolicy } from '../src/policy/inference.js';
import { contractOf } from '../src/policy/manifest.js';
import type { Policy } from '../src/policy/policy.js';
import type { RobotSpec } from '../src/robot/spec.js';
import type { Task } from '../src/tasks/task.js';

/** What simulation workers act with: plain data, for threads. */
export type Actor =
  | ({ readonly kind: 'gaussian' } & GaussianActor)
  | { readonly kind: 'dreamer'; readonly world: WorldContract; readonly config: DreamerConfig };

/** A policy whose weights are replaced as the learner improves them; what it remembers stays. */
export interface TrainedPolicy extends Policy {
  /** @param flat as the learner's `policyParameters()` gives them */
  setParameters(flat: Float32Array): void;
}

/** A policy of its own memory, its weights still to be given. */
export function trainedPolicy(actor: Actor, spec: RobotSpec, task: Task): TrainedPolicy {
  if (actor.kind === 'gaussian') return new GaussianPolicy(actor);
  const networks = new DreamerNetworks(actor.world, actor.config);
  const { policyLayout: layout } = networks;
  const network = { file: 'policy.onnx' as const, ...policyNames(actor.world, actor.config) };
  // The file that a bundle would hold, run by what runs bundles.
  const policy = loadPolicy({
    manifest: { ...contractOf(spec, task), network },
    onnx: exportPolicy(networks, new Float32Array(layout.size), {}),
    path: 'simulation',
  });
  return Object.assign(policy, {
    setParameters: (flat: Float32Array) => policy.setWeights(layout.cut(flat)),
  });
}
