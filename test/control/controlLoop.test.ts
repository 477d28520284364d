import { describe, expect, it } from 'vitest';
import { ControlLoop } from '../../src/control/controlLoop.js';
import { type Step, StepFlag } from '../../src/control/stepRecord.js';
import type { Policy } from '../../src/policy/policy.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';

const { spec } = loadRobot('quadruped');
const DT_S = 1 / spec.rates.control_hz;
const TICKS = spec.rates.control_hz / spec.rates.policy_hz;

/** Counts its calls, and asks for as much. */
class Counting implements Policy {
  readonly observationSize = 0;
  readonly actionSize = spec.joints.length;
  calls = 0;
  resets = 0;
  act(_: Float32Array, action: Float32Array): void {
    action.fill(0.001 * this.calls++);
  }
  reset(): void {
    this.resets++;
  }
}

/** A robot that stands as it is put, one tick at a time. */
function stand(policy?: Policy) {
  const loop = new ControlLoop(spec, createTask('walk', spec), 0, 1);
  let now_s = 0;
  spec.joints.forEach((joint, j) => {
    loop.state.position_rad[j] = joint.home_rad;
  });
  loop.state.orientation.set([1, 0, 0, 0]);
  loop.state.accel_m_s2[2] = 9.81;
  loop.state.footForce_n.fill(30);
  loop.state.time_s = 0;
  expect(loop.arm(0)).toBe(true);
  loop.setPolicy(policy, 1);
  const run = (ticks: number, elapsed = 1): Step[] => {
    const steps: Step[] = [];
    for (let t = 0; t < ticks; t++) {
      now_s += elapsed * DT_S;
      loop.state.time_s = now_s;
      loop.tick(now_s, elapsed);
      if (loop.stepDone) steps.push(loop.layout.read(loop.record));
    }
    return steps;
  };
  /** Until the first action was asked for. */
  const rise = () => {
    while (loop.phase !== 'running') run(1);
  };
  return { loop, run, rise, now_s: () => now_s };
}

describe('ControlLoop', () => {
  it('stands at home without a policy, however long', () => {
    const { loop, run } = stand();
    expect(run(5 * spec.rates.control_hz)).toEqual([]);
    expect(loop.phase).toBe('rising');
    expect(loop.control.kernel.mode).toBe('run');
    spec.joints.forEach((joint, j) => {
      expect(loop.control.kernel.executed_rad[j]).toBeCloseTo(joint.home_rad, 9);
    });
  });

  it('makes a step of every policy period, each beginning with what the one before ended with', () => {
    const policy = new Counting();
    const { run, rise } = stand(policy);
    rise();
    const steps = run(10 * TICKS);
    expect(steps.map((s) => s.step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(policy.calls).toBe(11);
    steps.forEach((s, i) => {
      expect(s.asked[0]).toBeCloseTo(0.001 * i, 6);
      expect(s.flags).toBe(0);
      if (i > 0) expect(s.observation).toEqual(steps[i - 1].nextObservation);
    });
    // A standing robot reaches what so small an action asks for: executed is asked.
    expect(steps[5].executed[0]).toBeCloseTo(steps[5].asked[0], 4);
  });

  it('counts missed ticks as time: the policy acts at its rate, not late for ever', () => {
    const { run, rise } = stand(new Counting());
    rise();
    const steps = [...run(4, 10), ...run(10, 1), ...run(2 * TICKS)];
    const times = steps.map((s) => s.time_s);
    expect(times[1] - times[0]).toBeCloseTo(TICKS * DT_S - 5 * DT_S, 9);
    expect(times[2] - times[1]).toBeCloseTo(TICKS * DT_S, 9);
  });

  it('cuts an episode when it is long enough, and goes on in place with the next', () => {
    const policy = new Counting();
    const { loop, run, rise } = stand(policy);
    rise();
    const { episodeSteps } = createTask('walk', spec);
    const steps = run((episodeSteps + 2) * TICKS);
    const last = steps[episodeSteps - 1];
    expect([last.step, last.flags]).toEqual([episodeSteps - 1, StepFlag.truncated]);
    expect([steps[episodeSteps].episode, steps[episodeSteps].step]).toEqual([2, 0]);
    expect(steps.filter((s) => s.flags !== 0)).toHaveLength(1);
    expect(policy.resets).toBe(3);
    expect(loop.falls).toBe(0);
  });

  it('ends with a terminal step and one fall when the robot tips over, and brakes', () => {
    const { loop, run, rise } = stand(new Counting());
    rise();
    run(3 * TICKS);
    // First beyond what the task takes for walking, then beyond what the kernel takes for standing.
    loop.state.orientation.set([Math.cos(0.35), Math.sin(0.35), 0, 0]);
    const [step] = run(TICKS);
    expect(step.flags).toBe(StepFlag.terminal);
    expect([loop.phase, loop.falls]).toEqual(['rising', 1]);
    loop.state.orientation.set([Math.cos(0.6), Math.sin(0.6), 0, 0]);
    expect(run(2 * TICKS)).toEqual([]);
    expect([loop.phase, loop.falls, loop.control.kernel.mode]).toEqual(['off', 1, 'damp']);
  });

  it('marks a step that a stop cut into as interrupted, not as the end of the task', () => {
    const { loop, run, rise, now_s } = stand(new Counting());
    rise();
    run(3 * TICKS + 5);
    loop.control.kernel.requestStop(now_s());
    const steps = run(10 * TICKS);
    expect(steps.map((s) => s.flags)).toEqual([StepFlag.interrupted]);
    expect([loop.phase, loop.falls]).toEqual(['off', 0]);
  });

  it('rises from where the joints are, whatever was asked before it fell', () => {
    const { loop, run, rise, now_s } = stand(new Counting());
    rise();
    run(3 * TICKS);
    loop.control.kernel.reset();
    run(1);
    for (let j = 0; j < spec.joints.length; j++) loop.state.position_rad[j] += 0.2;
    expect(loop.arm(now_s())).toBe(true);
    run(1);
    // One tick of a way that takes seconds.
    const away = spec.joints.map((_, j) =>
      Math.abs(loop.control.kernel.executed_rad[j] - loop.state.position_rad[j]),
    );
    expect(Math.max(...away)).toBeLessThan(1e-3);
  });

  it('holds while a policy asks for what is no number, and moves again once it asks for what is', () => {
    let bad = false;
    const policy: Policy = {
      observationSize: 0,
      actionSize: spec.joints.length,
      act: (_, action) => {
        action.fill(bad ? Number.NaN : 0.1);
      },
      reset() {},
    };
    const { loop, run, rise } = stand(policy);
    rise();
    run(2 * TICKS);
    bad = true;
    run(2 * TICKS);
    expect(loop.control.kernel.mode).toBe('hold');
    expect(loop.control.kernel.events.drain().map((e) => e.cause)).toContain('command_invalid');
    bad = false;
    run(3 * TICKS);
    expect(loop.control.kernel.mode).toBe('run');
  });

  it('does not arm on a sample that is old', () => {
    const { loop } = stand();
    loop.control.kernel.reset();
    loop.state.time_s = 10;
    expect(loop.arm(10 + 2 * spec.watchdog.sensor_age_s)).toBe(false);
    expect(loop.control.kernel.mode).toBe('idle');
    expect(loop.arm(10)).toBe(true);
  });
});
