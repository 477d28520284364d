import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { writeBundle } from '../../src/policy/bundle.js';
import { eventually, untrainedBundle } from '../control/support.js';

const folder = mkdtempSync(join(tmpdir(), 'reverie-run-'));
const policy = join(folder, 'policy');

beforeAll(async () => {
  writeBundle(policy, await untrainedBundle());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly child: ChildProcess;
  readonly out: string[];
  readonly err: string[];
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

function launchFile(name: string, text: string): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(
    path,
    `robot: quadruped\ndriver: { kind: sim }\ntask: walk\nruns: ${join(folder, name)}\n${text}`,
  );
  return path;
}

function reverie(...args: string[]): Running {
  const child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: string[] = [];
  const err: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => out.push(line));
  createInterface({ input: child.stderr! }).on('line', (line) => err.push(line));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, out, err, ended };
}

const standing = ({ err }: Running) =>
  eventually(
    'a status line of an episode',
    () => err.some((line) => /^walk run .*return -?[\d.]*[1-9]/.test(line)),
    40,
  );

/** What a run leaves in its folder. */
function runFile(name: string, file: string): string {
  const [run] = readdirSync(join(folder, name)).filter((entry) => entry.startsWith('run-'));
  return readFileSync(join(folder, name, run, file), 'utf8');
}

describe('reverie run', () => {
  it('ends after its time with one object on standard output', async () => {
    const run = reverie('run', launchFile('time', ''), '--policy', policy, '--seconds', '3', '--json');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.out).toHaveLength(1);
    const summary = JSON.parse(run.out[0]);
    expect(Object.keys(summary)).toEqual([
      'robot',
      'policy',
      'seconds',
      'distance_m',
      'mean_speed_mps',
      'falls',
      'safety_events',
      'ticks',
      'missed_ticks',
      'late_p999_ms',
      'learner_updates',
      'transitions',
      'train',
    ]);
    expect(summary).toMatchObject({
      robot: 'quadruped',
      policy: 'untrained',
      learner_updates: 0,
      train: null,
    });
    // A timer may fire a millisecond early.
    expect(summary.seconds).toBeGreaterThan(2.9);
    expect(summary.ticks + summary.missed_ticks).toBeGreaterThan(2.9 * 500);
  });

  it('sits down on Ctrl-C, and says what it did', async () => {
    const run = reverie('run', launchFile('stop', ''), '--policy', policy, '--json');
    await standing(run);
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    const summary = JSON.parse(run.out.at(-1)!);
    expect(summary).toMatchObject({ robot: 'quadruped', train: null });
    expect(summary.transitions).toBeGreaterThan(0);
    const events = runFile('stop', 'safety.jsonl').trim().split('\n');
    const causes = events.map((line) => JSON.parse(line).cause);
    expect(causes).toContain('stop_requested');
    expect(causes).not.toContain('emergency_stop');
  });

  it('makes an emergency stop of a second Ctrl-C, and ends with 3', async () => {
    const run = reverie('run', launchFile('emergency', ''), '--policy', policy, '--json');
    await standing(run);
    run.child.kill('SIGINT');
    await eventually('the first is heard', () => run.err.some((line) => line.includes('to the stop pose')));
    // `ros2 launch` passes the first on, right behind it: that is not a second.
    run.child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(runFile('emergency', 'safety.jsonl')).not.toContain('"emergency_stop"');
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(3);
    expect(runFile('emergency', 'safety.jsonl')).toContain('"emergency_stop"');
  });

  it('stops when nobody is left who would read what it says', async () => {
    const run = reverie('run', launchFile('unread', ''), '--policy', policy, '--json');
    await standing(run);
    run.child.stderr!.destroy();
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(runFile('unread', 'safety.jsonl')).toContain('"stop_requested"');
  });

  it('says once why the robot stopped by itself', async () => {
    const run = reverie('run', launchFile('halted', 'learner: { enabled: false }\n'), '--policy', policy);
    await eventually('it runs', () => run.err.some((line) => line.startsWith('walk run')), 50);
    // Longer than any watchdog waits.
    process.kill(run.child.pid!, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    process.kill(run.child.pid!, 'SIGCONT');
    const why = () => run.err.filter((line) => line.startsWith('stops: '));
    await eventually('the reason', () => why().length > 0);
    expect(why()[0]).toMatch(/^stops: (supervisor lost|sensor lost \(\d.* s, limit 0\.1\d* s\))$/);
    const lines = run.err.length;
    await eventually('more', () => run.err.length >= lines + 2);
    expect(why()).toHaveLength(1);
    run.child.kill('SIGTERM');
    await run.ended;
  });

  it('goes on when its learner is killed, and starts it again', async () => {
    const learner =
      'learner: { warmup: 20, evaluation: { episodes: 1, seconds_each: 1 }, overrides: { batch: 8, critic_hidden: [8], actor_hidden: [8] } }\n';
    const run = reverie('run', launchFile('learner', learner), '--policy', policy, '--json');
    await eventually('an update', () => run.err.some((line) => /learner [1-9]\d*\/s/.test(line)), 50);
    const [pid] = learnersOf(run.child.pid!);
    process.kill(pid, 'SIGKILL');
    await eventually('the loss', () =>
      run.err.some((line) =>
        line.includes(
          'the learner is gone (SIGKILL); the robot keeps its policy, the learner starts again in 1 s',
        ),
      ),
    );
    const lines = run.err.length;
    await eventually('it goes on', () => run.err.slice(lines).filter((l) => /^walk run/.test(l)).length >= 2);
    await eventually('another learner', () => learnersOf(run.child.pid!).some((child) => child !== pid), 50);
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    const summary = JSON.parse(run.out.at(-1)!);
    expect(summary.learner_updates).toBeGreaterThan(0);
    expect(summary.falls).toBe(0);
  });

  it.each([
    ['a robot that there is not', ['run', 'LAUNCH:robot: unicorn'], /no robot "unicorn"/],
    ['a task that there is not', ['run', 'LAUNCH:task: fly'], /no task "fly"/],
    ['a policy that there is not', ['run', 'LAUNCH:', '--policy', 'nobody'], /no policy "nobody"/],
    [
      'a policy for another robot',
      ['run', 'LAUNCH:robot: arm\ntask: reach', '--policy', policy],
      /refused[\s\S]*"quadruped"/,
    ],
    ['a time that is none', ['run', 'LAUNCH:', '--seconds', 'soon'], /seconds/],
  ])('refuses %s with one message and 2', async (what, args, expected) => {
    const given = args.map((arg) => {
      if (!arg.startsWith('LAUNCH:')) return arg;
      const path = launchFile(what.replaceAll(' ', '-'), '');
      let text = readFileSync(path, 'utf8');
      for (const line of arg.slice('LAUNCH:'.length).split('\n').filter(Boolean))
        text = text.replace(new RegExp(`^${line.split(':')[0]}: .*$`, 'm'), line);
      writeFileSync(path, text);
      return path;
    });
    const run = reverie(...given);
    expect((await run.ended).code).toBe(2);
    expect(run.err.join('\n')).toMatch(expected);
    expect(run.err.join('\n')).not.toMatch(/^\s+at /m);
    expect(run.out).toEqual([]);
  });
});

/** The child processes of a process that are learners. */
function learnersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const isLearner = (child: string) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('\0learn\0');
  return children.filter((child) => child !== '' && isLearner(child)).map(Number);
}
