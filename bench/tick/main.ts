/**
 * What the safety kernel, and the whole control step around it, cost a tick: the twelve joints of a quadruped
 * that walks under pushes, its ticks recorded in simulation and run through a kernel of their own, again and
 * again. Both take turns in short rounds. The middle tick of the fastest round is what this machine can do when it
 * is left alone; the mean is over all ticks of that round, the 99.9 % quantile over those of the middle round.
 *
 *     node dist/bench/tick/main.js [--policy quadruped-walk] [--rounds 40] [--json]
 */
import { parseArgs } from 'node:util';
import { Environment } from '../../sim/environment.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { evaluationRandomisation } from '../../sim/randomise.js';
import { type ControlMemory, controlStep, createControlMemory } from '../../src/control/controlStep.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadPolicy } from '../../src/policy/inference.js';
import { loadRobot } from '../../src/robot/load.js';
import { RobotState } from '../../src/robot/state.js';
import { createTask } from '../../src/tasks/index.js';
import { machine } from '../measure/machine.js';
import { median, quantile } from '../measure/rounds.js';

const SECONDS = 10;

const { values } = parseArgs({
  options: {
    policy: { type: 'string', default: 'quadruped-walk' },
    rounds: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
});
const bundle = readBundle(values.policy);
const robot = loadRobot(bundle.manifest.robot);
const { spec } = robot;

interface Tick {
  readonly state: Float64Array;
  readonly asked_rad: Float64Array;
  readonly askedAt_s: number;
  readonly now_s: number;
}

async function recordedWalk(): Promise<Tick[]> {
  const env = new Environment(
    await loadMujoco(),
    robot,
    createTask(bundle.manifest.task, spec),
    evaluationRandomisation,
  );
  const policy = loadPolicy(bundle);
  const action = new Float32Array(spec.joints.length);
  const ticks: Tick[] = [];
  env.reset(1);
  env.onTick = () => {
    const { asked_rad, askedAt_s } = env.control;
    const state = env.window.state.flat.slice();
    ticks.push({ state, asked_rad: asked_rad.slice(), askedAt_s, now_s: env.robot.time_s });
  };
  for (let step = 0; step < SECONDS * spec.rates.policy_hz; step++) {
    policy.act(env.observation, action);
    if (env.step(action).ending !== 'none') break;
  }
  env.close();
  return ticks;
}

const ticks = await recordedWalk();
const state = RobotState.for(spec);

/** @returns how long each tick took, µs */
function round(step: (memory: ControlMemory, tick: Tick) => void): Float64Array {
  const memory = createControlMemory(spec);
  const took_us = new Float64Array(ticks.length);
  state.flat.set(ticks[0].state);
  memory.kernel.arm(state);
  for (let t = 0; t < ticks.length; t++) {
    const tick = ticks[t];
    state.flat.set(tick.state);
    const start = performance.now();
    step(memory, tick);
    took_us[t] = 1000 * (performance.now() - start);
  }
  if (memory.kernel.mode !== 'run') throw new Error(`the walk ended in mode ${memory.kernel.mode}`);
  return took_us;
}

const measured = {
  'safety kernel': ({ kernel }: ControlMemory, { asked_rad, askedAt_s, now_s }: Tick) => {
    kernel.step(state, asked_rad, askedAt_s, now_s);
  },
  'control step': (memory: ControlMemory, { asked_rad, askedAt_s, now_s }: Tick) => {
    memory.asked_rad.set(asked_rad);
    memory.askedAt_s = askedAt_s;
    controlStep(memory, state, now_s);
  },
};
interface Round {
  readonly p50_us: number;
  readonly mean_us: number;
  readonly p999_us: number;
}
const rounds = new Map<string, Round[]>(Object.keys(measured).map((what) => [what, []]));
for (let k = 0; k < Number(values.rounds); k++)
  for (const [what, step] of Object.entries(measured)) {
    const took_us = [...round(step)];
    const mean_us = took_us.reduce((a, b) => a + b) / took_us.length;
    rounds.get(what)!.push({ p50_us: median(took_us), mean_us, p999_us: quantile(took_us, 0.999) });
  }
const results = [...rounds].map(([what, all]) => {
  const { p50_us, mean_us } = all.toSorted((a, b) => a.p50_us - b.p50_us)[0];
  const p999_us = median(all.map((one) => one.p999_us));
  return { what, joints: spec.joints.length, ticks: ticks.length, p50_us, mean_us, p999_us };
});
if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(), results })}\n`);
else
  for (const { what, joints, p50_us, mean_us, p999_us } of results)
    process.stdout.write(
      `${what}, ${joints} joints: ${p50_us.toFixed(1)} µs a tick (mean ${mean_us.toFixed(1)}), p99.9 ${p999_us.toFixed(0)} µs\n`,
    );
