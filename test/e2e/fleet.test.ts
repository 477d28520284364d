import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { startBroker } from '../../src/fleet/broker.js';
import { Link } from '../../src/fleet/link.js';
import { SaveRequests } from '../../src/fleet/saving.js';
import { SiteView } from '../../src/fleet/siteView.js';
import { ReplayFile } from '../../src/learn/replay/file.js';
import { RecordLayout, readSequence, Word } from '../../src/learn/replay/record.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';
import { patientRobot } from '../patientRobot.js';
import { until } from '../until.js';

const folder = mkdtempSync(join(tmpdir(), 'reverie-fleet-e2e-'));
const children: ChildProcess[] = [];
const REPLAY = 5000;
let attempt = 0;

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function launchFile(name: string, parameters: object): string {
  const path = join(folder, `${name}.yaml`);
  const learner = {
    replay: REPLAY,
    warmup: REPLAY + 1,
    overrides: { batch: 8, actor_hidden: [8], critic_hidden: [8] },
  };
  writeFileSync(
    path,
    JSON.stringify({
      robot: patientRobot('arm', folder),
      driver: { kind: 'sim' },
      task: 'reach',
      site: 'lab',
      runs: folder,
      parameters,
      learner,
      dashboard: { enabled: false },
    }),
  );
  return path;
}

function reverie(...args: string[]): { child: ChildProcess; err: string[]; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  const err: string[] = [];
  child.stderr!.on('data', (chunk) => err.push(String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, err, ended };
}

/** Targets of reach, m, by stream: they are part of what the policy sees. */
function targetsByStream(path: string): Map<number, number[][]> {
  const { spec } = loadRobot('arm');
  const { contract } = createTask('reach', spec);
  const at = contract.observation.findIndex((part) => part.name === 'target');
  const before = contract.observation.slice(0, at).reduce((sum, part) => sum + part.size, 0);
  const layout = new RecordLayout({ observation: observationSize(contract), action: spec.joints.length });
  const words = new Uint32Array(REPLAY * layout.words);
  const floats = new Float32Array(words.buffer);
  const file = new ReplayFile(path, layout, REPLAY, words);
  file.recover();
  file.close();
  const targets = new Map<number, number[][]>();
  for (let start = 0; start < words.length; start += layout.words) {
    if (readSequence(words, start + Word.sequence) === 0) continue;
    const stream = words[start + Word.stream];
    const from = start + layout.observation + before;
    const target = [0, 1, 2].map((k) => floats[from + k] / 10);
    targets.set(stream, [...(targets.get(stream) ?? []), target]);
  }
  return targets;
}

it('two robots, each with its own parameters of the task, teach one learner over a broker', async () => {
  // Of an attempt before this one.
  for (const child of children.splice(0)) child.kill('SIGKILL');
  const broker = await startBroker();
  const link = await Link.connect({ url: broker.url });
  const view = await SiteView.open(
    link,
    'lab',
    () => {},
    () => {},
  );
  const left = { targets: { from_m: [0.1, 0.02, 0.05], to_m: [0.4, 0.4, 0.4] } };
  const right = { targets: { from_m: [0.1, -0.4, 0.05], to_m: [0.4, -0.02, 0.4] } };
  const run = join(folder, `learner-${attempt++}`);
  const learner = reverie(
    ...['learn', launchFile('learner', {}), '--run', run, '--broker', broker.url, '--engine', 'onnx'],
  );
  const teaches = (name: string, parameters: object) =>
    reverie(
      ...['run', launchFile(name, parameters), '--name', name],
      ...['--broker', broker.url, '--policy', 'arm-reach'],
    );
  const robots = [teaches('left', left), teaches('right', right)];
  const stored = () => [...view.learners.values()][0]?.metrics;
  const told = () => [learner, ...robots].map(({ err }) => err.join('')).join('\n');
  const enough = () => (stored()?.robots ?? 0) === 2 && (stored()?.transitions ?? 0) > 100;
  const stopped = () => robots.findIndex(({ err }) => /reach (stopped|HELP)/.test(err.at(-1) ?? ''));
  for (const end = Date.now() + 240_000; !enough() && Date.now() < end; ) {
    await until(() => enough() || stopped() >= 0, 240).catch(() => {});
    // A busy machine may let a robot wait for longer than its watchdogs do: its operator begins again.
    const r = stopped();
    if (enough() || r < 0) continue;
    process.stdout.write(`fleet: begins again after\n${robots[r].err.join('')}`);
    robots[r].child.kill('SIGTERM');
    await robots[r].ended;
    robots[r] = r === 0 ? teaches('left', left) : teaches('right', right);
  }
  if (!enough()) throw new Error(`stored ${JSON.stringify(stored())}; they said:\n${told()}`);
  expect(view.robots.get('left')?.description?.parameters).toEqual(left);
  expect(view.robots.get('right')?.description?.parameters).toEqual(right);
  // As a robot's node learner/save does.
  const saves = await SaveRequests.create(link, { site: 'lab', run: 'reach', robot: 'left' });
  const checkpoint = join(run, 'checkpoint.bin');
  const before = statSync(checkpoint).mtimeMs;
  expect(`reach/${await saves.save(60)}`).toBe([...view.learners.keys()][0]);
  expect(statSync(checkpoint).mtimeMs).toBeGreaterThan(before);
  for (const { child } of robots) child.kill('SIGTERM');
  expect(await Promise.all(robots.map((r) => r.ended)), told()).toEqual([0, 0]);
  await until(() => [...view.robots.values()].every((robot) => !robot.online));
  learner.child.kill('SIGTERM');
  await learner.ended;
  await link.close();
  await broker.close();
  const sides = [...targetsByStream(join(run, 'replay.bin')).values()].map((targets) => {
    const y_m = targets.map((target) => target[1]);
    return Math.min(...y_m) > 0 ? 'left' : Math.max(...y_m) < 0 ? 'right' : 'both';
  });
  expect([...new Set(sides)].sort()).toEqual(['left', 'right']);
}, 420_000);
