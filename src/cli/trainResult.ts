import { join } from 'node:path';
import { writeFileAtomic } from '../base/files.js';
import { packageInfo } from '../base/packageInfo.js';
import type { Replay } from '../learn/replay/replay.js';
import type { Collector } from '../learn/trainer/collector.js';
import { learningCurve } from '../learn/trainer/curve.js';
import { readMetrics } from '../learn/trainer/metrics.js';
import { type Bundle, writeBundle } from '../policy/bundle.js';
import { contractOf, type Evaluation } from '../policy/manifest.js';
import type { Robot } from '../robot/load.js';
import type { Task, TaskParameters } from '../tasks/task.js';
import type { LearnerSetup } from './learners.js';
import { FILES } from './runFiles.js';

/** The evaluation that a bundle reports: episodes that neither training nor selection has seen. */
const FINAL = {
  walk: { episodes: 20, seconds_each: 20 },
  rise: { episodes: 50, seconds_each: 10 },
  reach: { episodes: 100, seconds_each: 4 },
  pick: { episodes: 100, seconds_each: 12 },
} as const;

/** Judges the weights that a run ends with, on seeds beyond those that anybody trains with. */
export function finalEvaluation(
  collector: Collector,
  task: string,
  { seed, evalEpisodes }: { readonly seed: number; readonly evalEpisodes?: number },
  parameters: Float32Array,
): Promise<Evaluation> {
  const { episodes, seconds_each } = FINAL[task as keyof typeof FINAL] ?? FINAL.walk;
  return collector.evaluate(parameters, evalEpisodes ?? episodes, seconds_each, 1_000_000 + seed);
}

/** Writes the policy as the bundle of its run. */
export function writeResult(
  options: {
    readonly out: string;
    readonly command: string;
    readonly seed: number;
    readonly parameters?: TaskParameters;
  },
  robot: Robot,
  task: Task,
  setup: Pick<LearnerSetup, 'network'>,
  replay: Replay,
  result: { readonly steps: number; readonly robotMinutes: number; readonly parameters: Float32Array },
  evaluation: Evaluation,
  wallMinutes: number,
): Bundle {
  const { spec } = robot;
  const { onnx, names } = setup.network(result.parameters, replay);
  return writeBundle(join(options.out, FILES.policy), {
    manifest: {
      name: `${spec.name}-${task.name}`,
      ...contractOf(spec, task, names),
      training: {
        command: options.command,
        ...(options.parameters && { parameters: options.parameters }),
        seed: options.seed,
        env_steps: result.steps,
        robot_minutes: result.robotMinutes,
        wall_minutes: wallMinutes,
        version: packageInfo.version,
      },
      evaluation,
    },
    onnx,
  });
}

export function writeCurve(out: string, task: string, robot: string, seed: number): void {
  const rows = readMetrics(join(out, FILES.metrics));
  const goal =
    task === 'walk'
      ? { key: 'eval_mean_speed_mps', label: 'Speed in evaluation', unit: 'm/s', goal: [0.5, 1] as const }
      : { key: 'eval_success_rate', label: 'Success in evaluation', goal: [0.95, 1] as const };
  const svg = learningCurve([{ name: `seed ${seed}`, rows }], {
    title: `${robot}: ${task}`,
    panels: [{ key: 'episode_return', label: 'Return while training' }, goal],
  });
  writeFileAtomic(join(out, FILES.curve), svg);
}
