import { join } from 'node:path';
import { Command, Option } from 'commander';
import { taskRecipes } from '../learn/trainer/recipes.js';
import type { TaskParameters } from '../tasks/task.js';
import { cloneRun } from './cloneRun.js';
import { learnerKinds } from './learners.js';
import { count, engineOption, seed, setOption } from './options.js';
import { printJson } from './output.js';
import { TrainingDisplay } from './trainingDisplay.js';
import { shown, type TrainRunResult, trainRun } from './trainRun.js';

const EXAMPLES = `
Examples:
  reverie train walk --robot quadruped --seed 1
  reverie train reach --robot arm --seed 3 --out runs/reach3
  reverie train walk --robot quadruped --preset droq --config my.yaml   # my.yaml: learner: {...}, recipe: {...}
  reverie train pick --robot arm-table --demos demos        # half of each batch from demonstrations
  reverie train reach --robot arm --learner dreamer         # learns a model of the arm, and in it how to reach
  reverie train rise --learner dreamer --set walk_m_s=0.3   # gets up and walks on, after DayDreamer
  reverie train walk --learner dreamer --preset 1M --experience runs/walk-quadruped-1
  reverie train walk --robot robots/mine --json | tail -n 1

A run that was stopped (Ctrl-C) or crashed goes on where its checkpoint was: type the same command again.
Its folder holds metrics.jsonl, curve.svg, checkpoint.bin, replay.bin and, at the end, policy/; with dreamer also
dream.svg: what the model expected, beside what happened.`;

/** What `reverie train --json` prints last. */
export function trainSummary(task: string, seed: number, result: TrainRunResult): Record<string, unknown> {
  return {
    robot: result.robot.spec.name,
    task,
    seed,
    env_steps: result.steps,
    robot_minutes: result.robotMinutes,
    wall_minutes: result.wallMinutes,
    updates: result.updates,
    bundle: result.bundle.path,
    passed: result.passed,
    finished: result.finished,
    eval: result.evaluation,
    ...(result.worldModel && { world_model: result.worldModel }),
  };
}

/** The command that repeats a run, wherever its folder lies. */
function commandOf(
  task: string,
  options: Record<string, string | number | undefined>,
  parameters: TaskParameters = {},
): string {
  const given = [
    'robot',
    'seed',
    'learner',
    'preset',
    'demos',
    'experience',
    'config',
    'steps',
    'engine',
  ].filter((key) => options[key] !== undefined);
  const set = Object.entries(parameters).map(([name, value]) => `--set ${name}=${JSON.stringify(value)}`);
  return ['reverie train', task, ...given.map((key) => `--${key} ${options[key]}`), ...set].join(' ');
}

export function trainCommand(): Command {
  return new Command('train')
    .description('learn a task in simulation; ends with a policy bundle and its evaluation')
    .argument('<task>', `one of ${Object.keys(taskRecipes).join(', ')}`)
    .option('--robot <name>', 'robot, by name or folder', 'quadruped')
    .option('--seed <n>', 'repeats a run bit for bit', seed, 1)
    .option('--out <folder>', 'run folder (default: runs/TASK-ROBOT-SEED)')
    .addOption(
      new Option('--learner <name>', 'sac, dreamer (a world model), or bc to clone demonstrations')
        .choices([...learnerKinds, 'bc'])
        .default('sac'),
    )
    .option('--preset <name>', 'sac: sac, layernorm, droq, crossq; dreamer: micro, 1M to 200M, micro-v1, ...')
    .option(
      '--demos <dataset>',
      'LeRobot dataset: half of each batch of sac, the beginning of dreamer’s replay, all of bc',
    )
    .option('--experience <run>', 'run folder whose recorded experience is learned from first')
    .addOption(setOption())
    .option('--config <file>', 'YAML with learner and recipe overrides')
    .option('--steps <n>', 'environment steps in all', count)
    .option(
      '--eval-episodes <n>',
      'fresh episodes that judge the finished policy (default: 20 to 100 by task)',
      count,
    )
    .option('--workers <n>', 'simulation worker threads', count)
    .option('--threads <n>', 'threads of the learner', count)
    .addOption(engineOption())
    .option('--fresh', 'start anew where the folder already holds a run')
    .option('--accept-loss', 'resume although the replay file lost transitions')
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .addHelpText('after', EXAMPLES)
    .action(async (task: string, options) => {
      const out = options.out ?? join('runs', `${task}-${options.robot.split('/').pop()}-${options.seed}`);
      const display = new TrainingDisplay();
      let interrupted = false;
      const run = options.learner === 'bc' ? cloneRun : trainRun;
      const result = await run({
        ...options,
        task,
        out,
        parameters: options.set,
        command: commandOf(task, options, options.set),
        onProgress: (progress) => display.update(progress),
        onNote: (line) => display.note(line),
        onStoppable: (stop) => {
          process.once('SIGINT', () => {
            interrupted = true;
            display.note('stopping after this round; the checkpoint is kept (Ctrl-C again to quit at once)');
            stop();
          });
        },
      });
      display.finish();
      display.result(result, taskRecipes[task].passing, shown(out));
      if (options.json) printJson(trainSummary(task, options.seed, result));
      process.exitCode = interrupted ? 130 : 0;
    });
}
