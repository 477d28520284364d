import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { packageRoot } from '../../src/base/files.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import { loadRobot } from '../../src/robot/load.js';
import { until } from '../until.js';

const folder = mkdtempSync(join(tmpdir(), 'calibrate-guided-'));
/** The arm as it is mounted, and as it is thought to be until it is calibrated. */
const real = join(folder, 'real');
const thought = join(folder, 'thought');
const PATIENCE_S = 120;

interface Running {
  readonly child: ChildProcess;
  readonly out: string[];
  readonly err: string[];
  readonly ended: Promise<number | null>;
}
const running: Running[] = [];

function reverie(...args: string[]): Running {
  const child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [out, err]: string[][] = [[], []];
  createInterface({ input: child.stdout! }).on('line', (line) => out.push(line));
  createInterface({ input: child.stderr! }).on('line', (line) => err.push(line));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  running.push({ child, out, err, ended });
  return running.at(-1)!;
}

let emulator: Running;
let port: string;
const { spec } = loadRobot('arm');
const home = spec.joints.map((j) => j.home_rad);

/** Holds the arm so, and waits until it is. */
async function hand(pose: readonly number[]): Promise<void> {
  const line = `hand ${pose.join(' ')}`;
  const before = emulator.err.length;
  emulator.child.stdin!.write(`${line}\n`);
  await until(() => emulator.err.slice(before).includes(`${line}: done`), PATIENCE_S);
}

beforeAll(async () => {
  for (const robot of [real, thought]) cpSync(join(packageRoot, 'robots/arm'), robot, { recursive: true });
  const path = join(real, 'robot.yaml');
  const document = parseDocument(readFileSync(path, 'utf8'), { merge: true });
  spec.joints.forEach(({ name }, j) => {
    document.setIn(['bus', 0, 'joints', name, 'sign'], j % 2 === 0 ? -1 : 1);
    document.setIn(['bus', 0, 'joints', name, 'offset_rad'], 0.05 * j - 0.1);
  });
  writeFileSync(path, document.toString({ lineWidth: 0 }));
  emulator = reverie('emulate', real, '--link', join(folder, 'arm'), '--json');
  await until(() => emulator.out.length > 0, PATIENCE_S);
  port = JSON.parse(emulator.out[0]).ports.servos;
}, 300_000);

afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map((r) => r.ended));
  rmSync(folder, { recursive: true });
});

/** No way is longer than half a turn: this hand goes from end to end at once, as no person does. */
const endsOf = (j: number): [number, number] => {
  const [low, high] = spec.joints[j].position_rad;
  return [Math.max(low - 0.05, -1.5), Math.min(high + 0.05, 1.5)];
};

/** Takes steps until there are no more, or as many as given. @returns where it ended */
async function calibrate(calibration: Running, most = Number.POSITIVE_INFINITY): Promise<void> {
  const say = (word: string) => calibration.child.stdin!.write(`${word}\n`);
  const asked = () => calibration.err.filter((line) => /^\d+ of 13: /.test(line));
  await until(() => calibration.err.some((line) => line.startsWith('Torque goes off')), PATIENCE_S);
  say('');
  for (let taken = 0; taken < most; taken++) {
    let over = false;
    void calibration.ended.then(() => {
      over = true;
    });
    await until(() => over || asked().length > taken, PATIENCE_S);
    if (over) return;
    const step = Number(/^\d+/.exec(asked()[taken])![0]);
    const j = Math.floor((step - 2) / 2);
    await hand(step === 1 ? home : home.map((q, k) => (k === j ? endsOf(j)[step % 2] : q)));
    say('');
  }
  await until(() => asked().length > most, PATIENCE_S);
}

it('finds signs, offsets and ranges, goes on after a kill, and keeps the file as it was', async () => {
  const path = join(thought, 'robot.yaml');
  const before = readFileSync(path, 'utf8');
  const args = ['calibrate', thought, '--port', port, '--limits', '--json'];
  const first = reverie(...args);
  await calibrate(first, 5);
  first.child.kill('SIGKILL');
  await first.ended;
  expect(readFileSync(path, 'utf8')).toBe(before);
  const second = reverie(...args);
  await calibrate(second);
  expect(await second.ended, second.err.join('\n')).toBe(0);
  expect(second.err).toContain('going on with what was recorded before; --fresh begins anew');
  expect(second.err.find((line) => / of 13: /.test(line))).toMatch(/^6 of 13: /);
  const result = JSON.parse(second.out.at(-1)!);
  expect(readFileSync(result.backup, 'utf8')).toBe(before);
  expect(existsSync(`${path}.calibration`)).toBe(false);
  const found = loadRobot(thought).spec;
  const [bus, mounted] = [found, loadRobot(real).spec].map((s) => s.bus![0] as BusOf<'feetech'>);
  found.joints.forEach(({ name, position_rad }, j) => {
    expect(bus.joints[name].sign).toBe(mounted.joints[name].sign);
    expect(bus.joints[name].offset_rad).toBeCloseTo(mounted.joints[name].offset_rad, 2);
    // Inside the ends, and never wider than it was.
    const [low, high] = endsOf(j);
    const known = spec.joints[j].position_rad;
    expect(position_rad[0]).toBeGreaterThanOrEqual(Math.max(low, known[0]));
    expect(position_rad[0]).toBeLessThan(Math.max(low + 0.03, known[0] + 1e-9));
    expect(position_rad[1]).toBeLessThanOrEqual(Math.min(high, known[1]));
    expect(position_rad[1]).toBeGreaterThan(Math.min(high - 0.03, known[1] - 1e-9));
  });
  // Comments and everything else are where they were.
  expect(readFileSync(path, 'utf8')).toContain('# Six STS3215 on one line.');
  expect(parse(readFileSync(path, 'utf8'), { merge: true }).watchdog).toEqual(
    parse(before, { merge: true }).watchdog,
  );
}, 600_000);

it('asks again where a joint was not moved, and goes back a step', async () => {
  const calibration = reverie('calibrate', thought, '--port', port, '--fresh');
  await calibrate(calibration, 2);
  const steps = () => calibration.err.filter((line) => / of 13: /.test(line));
  const say = (word: string) => calibration.child.stdin!.write(`${word}\n`);
  // The other end, and the joint is where it was.
  say('');
  await until(() => calibration.err.some((line) => line.includes('once more')), PATIENCE_S);
  await until(() => steps().length === 4, PATIENCE_S);
  say('b');
  await until(() => steps().length === 5, PATIENCE_S);
  expect(steps().map((line) => Number(/^\d+/.exec(line)![0]))).toEqual([1, 2, 3, 3, 2]);
  say('q');
  expect(await calibration.ended).toBe(1);
  expect(calibration.err.at(-1)).toContain('the same command goes on there');
}, 300_000);

it.each([
  ['nothing to calibrate from', () => ['calibrate', thought], /expected --port .* or --import/],
  [
    'a port that is not there',
    () => ['calibrate', thought, '--port', join(folder, 'no')],
    /no at 1000000 baud: No such file/,
  ],
  [
    'a bus that there is not',
    () => ['calibrate', thought, '--port', port, '--bus', 'x'],
    /no bus "x".*servos/,
  ],
  [
    'a robot of two buses, and none named',
    () => ['calibrate', 'quadruped', '--port', port],
    /several buses.*--bus/,
  ],
  ['drives of another family', () => ['calibrate', 'quadruped', '--bus', 'front', '--port', port], /SLCAN/],
])(
  '%s is one message and 2',
  async (_, args, expected) => {
    const outcome = reverie(...args());
    outcome.child.stdin!.end();
    expect(await outcome.ended).toBe(2);
    expect(outcome.err.join('\n')).toMatch(expected);
    expect(outcome.err.join('\n')).not.toMatch(/^\s+at /m);
  },
  120_000,
);
