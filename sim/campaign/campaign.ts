import { Random } from '../../src/base/random.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadRobot } from '../../src/robot/load.js';
import { loadMujoco } from '../mujoco.js';
import { drawFault } from './faults.js';
import { Rig } from './rig.js';
import { Trial } from './trial.js';

export interface CampaignOptions {
  readonly faults: number;
  readonly seed: number;
  /** Ends with the first violation. */
  readonly failFast?: boolean;
  readonly onProgress?: (done: number) => void;
}

export interface CampaignResult {
  readonly faults: number;
  readonly violations: number;
  readonly by_fault: Readonly<Record<string, { readonly faults: number; readonly violations: number }>>;
  /** Longest time from a fault that calls for a stop to the first command of that stop. */
  readonly latest_stop_ms: number;
  readonly seed: number;
  /** The first few, for people. */
  readonly examples: readonly string[];
}

const TASKS = [
  { robot: 'quadruped', task: 'walk', policy: 'quadruped-walk' },
  { robot: 'arm', task: 'reach', policy: 'arm-reach' },
] as const;
const EXAMPLES = 10;

/**
 * Breaks one thing after the other on simulated robots that walk and reach, and checks from outside of
 * the safety kernel that no command leaves the limits, that stops come in time and last, and that
 * transitions are what they are marked as. The same seed draws the same faults.
 */
export async function runCampaign({
  faults,
  seed,
  failFast,
  onProgress,
}: CampaignOptions): Promise<CampaignResult> {
  const mj = await loadMujoco();
  const rigs = TASKS.map(
    ({ robot, task, policy }) => new Rig(mj, loadRobot(robot), task, readBundle(policy), seed),
  );
  const byFault: Record<string, { faults: number; violations: number }> = {};
  const examples: string[] = [];
  let violations = 0;
  let done = 0;
  let latest_s = 0;
  for (let n = 0; n < faults; n++) {
    const random = Random.stream(seed, 'fault', n);
    const rig = rigs[n % rigs.length];
    const fault = drawFault(rig.spec, rig.sample, random);
    const trial = new Trial(rig, fault, random);
    latest_s = Math.max(latest_s, trial.run(n));
    byFault[fault.kind] ??= { faults: 0, violations: 0 };
    const entry = byFault[fault.kind];
    entry.faults++;
    if (rig.violations.length > 0) {
      violations++;
      entry.violations++;
      if (examples.length < EXAMPLES)
        examples.push(`fault ${n}, ${fault.kind} on ${rig.spec.name}: ${rig.violations[0]}`);
      rig.violations.length = 0;
    }
    done = n + 1;
    onProgress?.(done);
    if (failFast && violations > 0) break;
  }
  for (const rig of rigs) rig.close();
  return {
    faults: done,
    violations,
    by_fault: byFault,
    latest_stop_ms: Number((1e3 * latest_s).toFixed(1)),
    seed,
    examples,
  };
}
