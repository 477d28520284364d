import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { ControlLoop } from '../../src/control/controlLoop.js';
import type { GateOptions } from '../../src/control/worldModelGate.js';
import { DreamerNetworks, dreamerConfig, exportPolicy, policyNames } from '../../src/learn/dreamer/index.js';
import { loadPolicy, type NetworkPolicy } from '../../src/policy/inference.js';
import { contractOf } from '../../src/policy/manifest.js';
import { loadRobot } from '../../src/robot/load.js';
import { causes, readEvent, type SafetyEvent } from '../../src/safety/events.js';
import { createTask } from '../../src/tasks/index.js';
import { observationSize } from '../../src/tasks/task.js';
import { patient } from './support.js';

// Sensing may be gone for longer than any policy imagines, so that it is the policy that stops the robot.
const { watchdog: shipped } = loadRobot('quadruped').spec;
const spec = { ...patient, watchdog: { ...patient.watchdog, sensor_age_s: 1, sensor_lost_s: 2 } };
const task = createTask('walk', spec);
const DT_S = 1 / spec.rates.control_hz;
const TICKS = spec.rates.control_hz / spec.rates.policy_hz;

/** A policy with a world model that nobody has trained. @param limits of its surprise */
function untrained(limits: readonly number[] = [], sensingLost_s?: number): NetworkPolicy {
  const world = { observations: observationSize(task.contract), actions: spec.joints.length };
  const config = dreamerConfig('micro', {
    ...{ deter: 16, hidden: 8, blocks: 2, stoch: 4, classes: 4, units: 8, layers: 1, bins: 7 },
  });
  const networks = new DreamerNetworks(world, config);
  const flat = new Float32Array(networks.policyLayout.size);
  new Random(1).fillUniform(flat, -0.05, 0.05);
  const names = policyNames(world, config, sensingLost_s);
  const quantiles = limits.length > 0 ? [{ quantile: 0.99, limits: [...limits] }] : [];
  return loadPolicy({
    manifest: {
      ...contractOf(spec, task),
      network: { file: 'policy.onnx', ...names, surprise: { ...names.surprise!, quantiles } },
    },
    onnx: exportPolicy(networks, flat, {}),
    path: '.',
  });
}

/** A robot that stands as it is put, in the middle of an episode. */
function stand(policy: NetworkPolicy, gate?: GateOptions, watchdog = spec.watchdog) {
  const loop = new ControlLoop({ ...spec, watchdog }, task, 0, 1, gate);
  const { state } = loop;
  let now_s = 0;
  spec.joints.forEach((joint, j) => {
    state.position_rad[j] = joint.home_rad;
  });
  state.orientation.set([1, 0, 0, 0]);
  state.accel_m_s2[2] = 9.81;
  state.footForce_n.fill(30);
  state.time_s = 0;
  expect(loop.arm(0)).toBe(true);
  loop.setPolicy(policy, 1);
  const run = (ticks: number, senses = true): void => {
    for (let t = 0; t < ticks; t++) {
      now_s += DT_S;
      if (senses) state.time_s = now_s;
      // Sensors that live are never the same to the last bit.
      for (let j = 0; j < spec.joints.length; j++) state.velocity_rad_s[j] = 1e-9 * (t % 2);
      state.gyro_rad_s[0] = 1e-9 * (t % 2);
      loop.tick(now_s, 1);
    }
  };
  const events = (): SafetyEvent[] => {
    const found: SafetyEvent[] = [];
    const record = new Float64Array(5 + spec.joints.length);
    while (loop.control.kernel.events.take(record)) found.push(readEvent(record));
    return found;
  };
  while (loop.phase !== 'running') run(1);
  return { loop, run, events };
}

describe('a gap in sensing', () => {
  it('is imagined over for as long as the policy says, then the robot stops', () => {
    const policy = untrained();
    const longest = Math.ceil(policy.imagination!.longest_s * spec.rates.policy_hz);
    const { loop, run, events } = stand(policy);
    run(5 * TICKS);
    run((longest - 1) * TICKS, false);
    expect(loop.control.kernel.mode).toBe('run');
    // It is back in time: nothing happened.
    run(5 * TICKS);
    expect(loop.control.kernel.mode).toBe('run');
    run((longest + 2) * TICKS, false);
    expect(['stopping', 'stopped']).toContain(loop.control.kernel.mode);
    expect(events().map((e) => e.cause)).toContain('sensing_gap');
  });

  it('is stated no longer than the robot allows, which holds its targets in it and brakes behind it', () => {
    const policy = untrained([], shipped.sensor_lost_s);
    expect(policy.imagination!.longest_s).toBe(shipped.sensor_lost_s);
    const { loop, run, events } = stand(policy, undefined, { ...shipped, sensor_age_s: 0.02 });
    run(5 * TICKS);
    const ticks = (seconds: number) => Math.floor(seconds * spec.rates.control_hz);
    run(ticks(0.03), false);
    const held = loop.control.kernel.executed_rad.slice();
    run(ticks(0.9 * shipped.sensor_lost_s) - ticks(0.03), false);
    expect(loop.control.kernel.mode).toBe('run');
    expect(loop.control.kernel.executed_rad).toEqual(held);
    run(5 * TICKS);
    expect(loop.control.kernel.mode).toBe('run');
    run(ticks(1.2 * shipped.sensor_lost_s), false);
    expect(loop.control.kernel.mode).toBe('damp');
    expect(loop.control.kernel.latched).toBe('sensor_invalid');
    expect(events().map((e) => e.cause)).toContain('sensor_lost');
  });

  it('moves the policy on in what it expects', () => {
    const [one, two] = [untrained(), untrained()];
    const [seen, unseen] = [stand(one), stand(two)];
    seen.run(4 * TICKS);
    unseen.run(2 * TICKS);
    unseen.run(2 * TICKS, false);
    const actions = [one, two].map((policy) => {
      const action = new Float32Array(12);
      policy.act(new Float32Array(policy.observationSize), action);
      return action;
    });
    expect(actions[0]).not.toEqual(actions[1]);
  });
});

describe('the gate of the world model', () => {
  const surprised = [0, 0];
  const calm = [1e9, 1e9];
  const gate = (response: 'slow' | 'stop', quantile = 0.99): GateOptions => ({ quantile, response });
  const step_rad = (limits: readonly number[], options?: GateOptions) => {
    const { loop, run } = stand(untrained(limits), options);
    run(8 * TICKS);
    return Math.max(
      ...spec.joints.map((joint, j) => Math.abs(loop.control.kernel.executed_rad[j] - joint.home_rad)),
    );
  };

  it('is off by default, lets pass what is expected and what knows no such quantile', () => {
    const free = step_rad(surprised);
    expect(step_rad(calm, gate('slow'))).toBe(free);
    expect(step_rad(surprised, gate('slow', 0.9))).toBe(free);
    expect(stand(untrained(surprised)).loop.control.kernel.mode).toBe('run');
  });

  it('slows what is surprised', () => {
    expect(step_rad(surprised, gate('slow'))).not.toBe(step_rad(surprised));
  });

  it('stops it, and says by how much it was surprised', () => {
    const { loop, run, events } = stand(untrained(surprised), gate('stop'));
    run(6 * TICKS);
    expect(['stopping', 'stopped']).toContain(loop.control.kernel.mode);
    const event = events().find((e) => e.cause === 'surprise');
    expect(event?.value).toBeGreaterThan(0);
    expect(event?.limit).toBe(0);
    expect(causes).toContain('surprise');
  });
});
