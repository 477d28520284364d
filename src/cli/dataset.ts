import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { UserError } from '../base/errors.js';
import { writeFileAtomic } from '../base/files.js';
import { merge, select, trim } from '../datasets/edit.js';
import { drawEpisode } from '../datasets/picture.js';
import { Dataset } from '../datasets/reader.js';
import { exportRecording } from '../recording/export.js';
import { readRecording } from '../recording/read.js';
import { loadRobot } from '../robot/load.js';
import { printJson, printTable } from './output.js';

const EXAMPLES = `
Datasets are folders in the layout of LeRobotDataset v3.0; those of v2.1 are read too. Every command writes a new
folder and leaves what it reads as it is.

Examples:
  reverie dataset export pick.mcap --out pick           # a recording, to LeRobot
  reverie dataset import path/to/v21 --out mine         # v2.1 or v3.0, to v3.0; videos are left out
  reverie dataset show pick --out pick-pages            # a picture of each episode
  reverie dataset show pick --json                      # each of these commands has --json
  reverie dataset merge pick more --out both
  reverie dataset split both --episodes 0-15 --out train
  reverie dataset delete both --episodes 3,7 --out fewer
  reverie dataset trim both --episode 2 --from 10 --to 60 --out shorter`;

/** "0-3,7" as [0, 1, 2, 3, 7]. */
function numbers(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (from === undefined || Number(to) < Number(from))
      throw new InvalidArgumentError('Expected numbers and ranges: 0-3,7');
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i);
  });
}

const index = (text: string) => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number of at least 0.');
  return Number(text);
};

export function datasetCommand(): Command {
  const root = new Command('dataset')
    .description('LeRobot datasets: export recordings, import, show, merge, split, trim, delete')
    .addHelpText('after', EXAMPLES);
  const command = (name: string, description: string) =>
    root
      .command(name)
      .description(description)
      .option('--json', 'print one object at the end, nothing else, on standard output');

  command('export', 'make a dataset of a recording')
    .argument('<recording>', 'MCAP file')
    .requiredOption('--out <folder>', 'new folder')
    .option('--robot <name>', "robot, by name or folder (default: the recording's own)")
    .action(async (file: string, { out, robot, json }) => {
      const name = robot ?? (await readRecording(file)).about.robot;
      const result = await exportRecording(file, loadRobot(name).spec, out);
      say(json, { out, ...result }, `${out}: ${result.episodes} episodes, ${result.frames} frames`);
    });
  command('import', 'copy a dataset of v2.1 or v3.0 as v3.0')
    .argument('<dataset>')
    .requiredOption('--out <folder>', 'new folder')
    .action(async (path: string, { out, json }) => {
      const dataset = await Dataset.open(path);
      if (dataset.videos.length > 0)
        process.stderr.write(`left out, since they are videos: ${dataset.videos.join(', ')}\n`);
      await select(dataset, every(dataset), out);
      await summary(out, json);
    });
  command('merge', 'episodes of several datasets in one')
    .argument('<datasets...>')
    .requiredOption('--out <folder>', 'new folder')
    .action(async (paths: string[], { out, json }) => {
      await merge(await Promise.all(paths.map((path) => Dataset.open(path))), out);
      await summary(out, json);
    });
  command('split', 'some episodes')
    .argument('<dataset>')
    .requiredOption('--episodes <list>', 'numbers and ranges: 0-3,7', numbers)
    .requiredOption('--out <folder>', 'new folder')
    .action(async (path: string, { episodes, out, json }) => {
      await select(await Dataset.open(path), episodes, out);
      await summary(out, json);
    });
  command('delete', 'all but some episodes')
    .argument('<dataset>')
    .requiredOption('--episodes <list>', 'numbers and ranges: 0-3,7', numbers)
    .requiredOption('--out <folder>', 'new folder')
    .action(async (path: string, { episodes, out, json }) => {
      const dataset = await Dataset.open(path);
      for (const episode of episodes) dataset.framesOf(episode);
      await select(
        dataset,
        every(dataset).filter((i) => !episodes.includes(i)),
        out,
      );
      await summary(out, json);
    });
  command('trim', 'one episode cut to some of its frames')
    .argument('<dataset>')
    .requiredOption('--episode <n>', 'its number', index)
    .requiredOption('--from <frame>', 'first frame to keep', index)
    .requiredOption('--to <frame>', 'first frame to leave out again', index)
    .requiredOption('--out <folder>', 'new folder')
    .action(async (path: string, { episode, from, to, out, json }) => {
      await trim(await Dataset.open(path), episode, from, to, out);
      await summary(out, json);
    });
  command('show', 'what is in a dataset; with --out a picture of each episode')
    .argument('<dataset>')
    .option('--episodes <list>', 'numbers and ranges: 0-3,7', numbers)
    .option('--out <folder>', 'for the pictures')
    .action(show);
  return root;
}

async function show(
  path: string,
  { episodes, out, json }: { episodes?: number[]; out?: string; json?: true },
): Promise<void> {
  const dataset = await Dataset.open(path);
  const shown = episodes ?? every(dataset);
  const rows: string[][] = [['episode', 'frames', 'seconds', 'outcome', 'operator', 'task']];
  if (out) mkdirSync(out, { recursive: true });
  for (const i of shown) {
    const episode = await dataset.episode(i);
    const seconds = (episode.length / dataset.info.fps).toFixed(1);
    const { task, outcome = '', operator = '' } = episode;
    rows.push([String(i), String(episode.length), seconds, outcome, operator, task]);
    if (out)
      writeFileAtomic(
        join(out, `episode-${String(i).padStart(6, '0')}.svg`),
        drawEpisode(
          episode,
          dataset.features,
          dataset.info.fps,
          `${dataset.info.robot_type ?? ''} ${i}`.trim(),
        ),
      );
  }
  if (json) printJson({ ...(await described(path)), pictures: out ? shown.length : 0 });
  else printTable(rows);
}

function every(dataset: Dataset): number[] {
  if (dataset.length === 0) throw new UserError(`${dataset.path}: holds no episode`);
  return Array.from({ length: dataset.length }, (_, i) => i);
}

async function described(path: string): Promise<Record<string, unknown>> {
  const { info, features, videos } = await Dataset.open(path);
  return {
    path,
    robot: info.robot_type ?? null,
    fps: info.fps,
    episodes: info.total_episodes,
    frames: info.total_frames,
    features: Object.keys(features),
    videos,
  };
}

async function summary(out: string, json: true | undefined): Promise<void> {
  const result = await described(out);
  say(json, result, `${out}: ${result.episodes} episodes, ${result.frames} frames`);
}

function say(json: true | undefined, result: object, line: string): void {
  if (json) printJson(result);
  else process.stdout.write(`${line}\n`);
}
