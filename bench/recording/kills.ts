/**
 * Kills recording processes without warning and recovers their files: whether what comes out is a whole
 * beginning of what went in, every time, and no episode before the last is harmed.
 *
 *     node dist/bench/recording/kills.js [--kills 200] [--robots 10] [--seed 1]
 *
 * `kills` are of a process that writes numbered messages as fast as it can; `robots` are of `reverie
 * record` with a quadruped that walks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/base/files.js';
import { Random } from '../../src/base/random.js';
import { type Recovery, recover } from '../../src/recording/recover.js';
import { topics } from '../../src/recording/topics.js';
import { killAndRecover } from '../../test/recording/kill.js';
import { readMcap } from '../../test/recording/mcap.js';

/** A recording runs for as long as this at most before its process is killed. */
const MOST_MS = { writer: 400, robot: 4000 };
/** A command more than this after the one before: the control loop was late, or ticks are not in the file. */
const GAP_NS = 8_000_000n;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    robots: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const random = new Random(Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), 'reverie-bench-kills-'));

/** Kills `reverie record` after a while, and reads what is recovered with a reader of its own. */
async function killRobot(path: string, after_ms: number): Promise<Recovery & { gaps: number }> {
  const args = ['record', 'quadruped.sim', '--policy', 'quadruped-walk', '--out', path];
  const child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
    stdio: 'ignore',
    cwd: folder,
  });
  while (!(existsSync(path) && statSync(path).size > 0)) {
    if (ended(child)) throw new Error(`reverie record ended with ${child.exitCode}`);
    await setTimeout(20);
  }
  await setTimeout(after_ms);
  child.kill('SIGKILL');
  if (!ended(child)) await once(child, 'exit');
  const result = await recover(path, `${path}.recovered`);
  const { messages, counted } = readMcap(result.out);
  if (messages.length !== counted || counted !== result.messages) throw new Error('the counts differ');
  const marks = messages.filter((m) => m.topic === topics.episodes.topic);
  if (result.episodes > marks.length) throw new Error('more episodes than marks');
  const commands = messages.filter((m) => m.topic === topics.commands.topic);
  const gaps = commands.filter((m, i) => i > 0 && m.logTime - commands[i - 1].logTime > GAP_NS).length;
  return { ...result, gaps };
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

const summary = {
  kills: 0,
  messages: 0,
  episodes: 0,
  most_lost_bytes: 0,
  robots: 0,
  robot_messages: 0,
  gaps: 0,
};
try {
  for (; summary.kills < Number(values.kills); summary.kills++) {
    const path = join(folder, 'killed.mcap');
    const result = await killAndRecover(path, random.uniform(0, MOST_MS.writer));
    summary.messages += result.messages;
    summary.episodes += result.episodes;
    summary.most_lost_bytes = Math.max(summary.most_lost_bytes, result.lost_bytes);
    for (const file of [path, result.out]) rmSync(file);
  }
  for (; summary.robots < Number(values.robots); summary.robots++) {
    const path = join(folder, 'robot.mcap');
    const result = await killRobot(path, random.uniform(0, MOST_MS.robot));
    summary.robot_messages += result.messages;
    summary.gaps += result.gaps;
    summary.most_lost_bytes = Math.max(summary.most_lost_bytes, result.lost_bytes);
    for (const file of [path, result.out]) rmSync(file);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify(summary)}\n`);
