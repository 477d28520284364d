import { afterEach, expect, it } from 'vitest';
import { ArmHome } from '../../src/reset/armHome.js';
import { Clearance } from '../../src/reset/clearance.js';
import { loadRobot } from '../../src/robot/load.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { RobotState } from '../../src/robot/state.js';
import { Ground } from './ground.js';

const { spec } = loadRobot('arm-table');
let ground: Ground | undefined;
afterEach(() => {
  ground?.env.close();
  ground = undefined;
});

it('goes home with its gripper open, by a way that touches nothing', async () => {
  ground = await Ground.of('arm-table', 'pick');
  const { env } = ground;
  env.reset(2);
  const action = new Float32Array(spec.joints.length);
  // Down beside the peg, gripper shut.
  const low = [0.5, 1.0, -0.3, 0.6, 0, -0.1];
  for (let t = 0; t < 30; t++) {
    action.forEach((_, j) => {
      action[j] = Math.max(-1, Math.min(1, (low[j] - env.control.kernel.executed_rad[j]) / 0.15));
    });
    env.step(action);
  }
  const before = Float64Array.from(env.window.state.object_m);
  expect(ground.lead(new ArmHome(spec), 20)).toBe('done');
  const { position_rad, object_m } = env.window.state;
  expect(position_rad[spec.joints.findIndex((j) => j.name === 'gripper')]).toBeCloseTo(0.6, 1);
  expect(Math.hypot(...before.map((x, k) => x - object_m[k]))).toBeLessThan(0.02);
});

it('does not move where every way leads through something', () => {
  // A wall that the arm, turned to the side, would have to sweep through.
  const wall = { name: 'wall', shape: 'box' as const, size_m: [0.17, 0.02, 0.5], x_m: [0, 0], y_m: [0, 0] };
  const walled = { ...spec, objects: [wall] } as RobotSpec;
  const state = RobotState.for(walled);
  state.position_rad.set(spec.joints.map((j) => j.home_rad));
  state.position_rad[0] = 1.5;
  state.object_m.set([0.25, 0.1, 0.3]);
  const executed_rad = Float64Array.from(state.position_rad);
  expect(new Clearance(walled).of_m(executed_rad, state)).toBeGreaterThan(0);
  const behaviour = new ArmHome(walled);
  const still = { position_m: new Float64Array(3), velocity_m_s: new Float64Array(3) };
  const view = { time_s: 1, state, executed_rad, place_m: [0, 0], estimate: still };
  behaviour.begin(view);
  const targets = new Float64Array(spec.joints.length);
  expect(behaviour.next(view, targets)).toBe('failed');
  expect(targets).toEqual(executed_rad);
  state.object_m[1] = 0.6;
  behaviour.begin(view);
  expect(behaviour.next(view, targets)).toBe('going');
});
