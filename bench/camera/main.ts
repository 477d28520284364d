/**
 * What a robot's small camera costs, size by size, as processor time of the cheapest of interleaved rounds: a picture
 * of the simulated camera on the quadruped, an action of Dreamer's policy (`micro`) that sees it, with the products
 * that a control loop takes, and one update of its learner on one thread; and the replay's memory for a transition.
 * Side 0 is the same robot without a camera.
 *
 *     node dist/bench/camera/main.js [--rounds 5] [--engine native] [--json]
 */
import { parseArgs } from 'node:util';
import { loadMujoco } from '../../sim/mujoco.js';
import { SimRobot } from '../../sim/simRobot.js';
import { standingHeight_m } from '../../sim/standing.js';
import { Random } from '../../src/base/random.js';
import {
  type DreamerBatch,
  DreamerLearner,
  dreamerConfig,
  exportPolicy,
  observedBy,
  policyNames,
  worldOf,
} from '../../src/learn/dreamer/index.js';
import { RecordLayout } from '../../src/learn/replay/record.js';
import { loadPolicy } from '../../src/policy/inference.js';
import { contractOf } from '../../src/policy/manifest.js';
import { fastestProducts } from '../../src/policy/products.js';
import { loadRobot, type Robot } from '../../src/robot/load.js';
import { robotSchema } from '../../src/robot/spec.js';
import { RobotState } from '../../src/robot/state.js';
import { createTask } from '../../src/tasks/index.js';
import type { EngineChoice } from '../../src/tensor/index.js';
import { machine } from '../measure/machine.js';

const SIDES = [0, 8, 16, 32, 64] as const;
const TICKS = 20;
const ACTIONS = 10;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    engine: { type: 'string', default: 'native' },
    json: { type: 'boolean', default: false },
  },
});
const mj = await loadMujoco();
const plain = loadRobot('quadruped');
const config = dreamerConfig('micro');
const engine = values.engine as EngineChoice;

/** The quadruped with a camera of this side that looks ahead and down; without one for 0. */
function robotWith(side: number): Robot {
  if (side === 0) return plain;
  const camera = {
    ...{ kind: 'depth', width: side, height: side, fov_rad: 1, rate_hz: plain.spec.rates.control_hz },
    ...{ position_m: [0.25, 0, 0.05], rpy_rad: [0, 0.5, 0], range_m: [0.1, 2] },
  };
  return { ...plain, spec: robotSchema.parse({ ...plain.spec, camera }) };
}

/** What is timed of one size, each a call that does it once. */
async function subject(side: number) {
  const robot = robotWith(side);
  const { spec } = robot;
  const task = createTask('walk', spec);
  const world = worldOf(task.contract);
  const sim = new SimRobot(mj, robot);
  const home = spec.joints.map((joint) => joint.home_rad);
  sim.reset(new Random(1), home, { height_m: standingHeight_m(spec, home), orientation: [1, 0, 0, 0] });
  const state = RobotState.for(spec);
  const learner = await DreamerLearner.create({ world, config, seed: 1, threads: 1, engine });
  const policy = loadPolicy(
    {
      manifest: {
        ...contractOf(spec, task),
        network: { file: 'policy.onnx', ...policyNames(world, config) },
      },
      onnx: exportPolicy(learner.networks, learner.policyParameters(), {}),
      path: 'camera',
    },
    fastestProducts(),
  );
  const observation = new Float32Array(observedBy(world)).fill(0.5);
  const action = new Float32Array(spec.joints.length);
  const rows = config.length * config.batch;
  const random = new Random(2);
  const drawn = (size: number) => {
    const into = new Float32Array(rows * size);
    random.fillUniform(into, 0, 1);
    return into;
  };
  const batch: DreamerBatch = {
    ...{ observation: drawn(observedBy(world)), action: drawn(world.actions), reward: drawn(1) },
    ...{ first: new Float32Array(rows), terminal: new Float32Array(rows) },
    h: new Float32Array(config.batch * config.deter),
    z: new Float32Array(config.batch * learner.networks.model.latent.size),
  };
  return {
    side,
    replay_bytes: 4 * new RecordLayout({ observation: observedBy(world), action: world.actions }).words,
    tick: () => {
      sim.advance();
      sim.read(state);
    },
    act: () => policy.act(observation, action),
    update: () => learner.step(batch),
    close: async () => {
      sim.dispose();
      await learner.dispose();
    },
  };
}

const used_ms = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

/** Processor time of one call. */
async function cost_ms(what: () => unknown, times: number): Promise<number> {
  const start = used_ms();
  for (let t = 0; t < times; t++) await what();
  return (used_ms() - start) / times;
}

const subjects = await Promise.all(SIDES.map(subject));
const best = subjects.map(() => ({ tick: Infinity, act: Infinity, update: Infinity }));
for (let round = 0; round < Number(values.rounds); round++)
  for (const [i, { tick, act, update }] of subjects.entries()) {
    best[i].tick = Math.min(best[i].tick, await cost_ms(tick, TICKS));
    best[i].act = Math.min(best[i].act, await cost_ms(act, ACTIONS));
    best[i].update = Math.min(best[i].update, await cost_ms(update, 1));
  }
for (const { close } of subjects) await close();

const results = subjects.map(({ side, replay_bytes }, i) => ({
  side,
  picture_ms: best[i].tick - best[0].tick,
  action_ms: best[i].act,
  update_ms: best[i].update,
  replay_bytes,
}));
if (values.json) console.log(JSON.stringify({ machine: machine(), results }));
else {
  console.log('side  picture ms  action ms  update ms  replay bytes a transition');
  for (const { side, picture_ms, action_ms, update_ms, replay_bytes } of results)
    console.log(
      [
        String(side).padStart(4),
        picture_ms.toFixed(3).padStart(10),
        action_ms.toFixed(3).padStart(9),
        update_ms.toFixed(1).padStart(9),
        String(replay_bytes).padStart(12),
      ].join('  '),
    );
}
