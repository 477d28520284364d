import { expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { loadRobot } from '../../src/robot/load.js';
import { robotSchema } from '../../src/robot/spec.js';
import { type BodyMotion, RobotState } from '../../src/robot/state.js';
import { createTask } from '../../src/tasks/index.js';
import { imageOf, observationSize } from '../../src/tasks/task.js';
import { StepWindow } from '../../src/tasks/window.js';

const { spec: blind } = loadRobot('quadruped');
const seeing = (more: object = {}) =>
  robotSchema.parse({
    ...blind,
    camera: {
      ...{ kind: 'depth', width: 16, height: 8, fov_rad: 1 },
      ...{ position_m: [0.2, 0, 0.1], range_m: [0.1, 2], ...more },
    },
  });

const still = (): BodyMotion => ({ position_m: new Float64Array(3), velocity_m_s: new Float64Array(3) });

it('the observation of a robot with a camera ends with its picture; all before is as without', () => {
  const observe = (spec: typeof blind) => {
    const task = createTask('walk', spec);
    const state = RobotState.for(spec);
    for (const [p] of state.image.entries()) state.image[p] = p / 128;
    const window = new StepWindow(spec, state, still(), still(), new Float64Array(12));
    const memory = task.createMemory();
    task.begin(memory, window, new Random(1));
    const observation = new Float32Array(observationSize(task.contract));
    task.observe(window, memory, observation);
    return { task, observation };
  };
  const [without, withIt] = [observe(blind), observe(seeing())];
  expect(imageOf(without.task.contract)).toBeUndefined();
  expect(imageOf(withIt.task.contract)).toEqual({ height: 8, width: 16, channels: 1 });
  const { length } = without.observation;
  expect(withIt.observation.length).toBe(length + 128);
  expect(withIt.observation.slice(0, length)).toEqual(without.observation);
  expect([...withIt.observation.slice(length)]).toEqual(Array.from({ length: 128 }, (_, p) => p / 128));
});

it('a mirror turns its rows round, where the camera sits in the middle', () => {
  const { observation } = createTask('walk', seeing()).mirror!;
  const { from, sign } = observation!;
  const start = from.length - 128;
  expect(from.slice(start, start + 17).map((i) => i - start)).toEqual([
    ...Array.from({ length: 16 }, (_, column) => 15 - column),
    31,
  ]);
  expect(new Set(sign.slice(start))).toEqual(new Set([1]));
  for (const aside of [{ position_m: [0.2, 0.1, 0] }, { rpy_rad: [0, 0, 0.3] }, { link: 'base' }]) {
    const { mirror } = createTask('walk', seeing(aside));
    expect(mirror!.observation).toBeUndefined();
    expect(mirror!.action).toBeDefined();
  }
});
