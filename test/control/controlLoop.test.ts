import { describe, expect, it } from 'vitest';
import { ControlLoop } from '../../src/control/controlLoop.js';
import { type Step, StepFlag } from '../../src/control/stepRecord.js';
import type { Policy } from '../../src/policy/policy.js';
import { loadRobot } from '../../src/robot/load.js';
import { authorities } from '../../src/safety/authority.js';
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
function stand(policy?: Policy, task = 'walk') {
  const loop = new ControlLoop(spec, createTask(task, spec), 0, 1);
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
      // Sensors that live are never the same to the last bit.
      for (let j = 0; j < spec.joints.length; j++) loop.state.velocity_rad_s[j] = 1e-9 * (t % 2);
      loop.state.gyro_rad_s[0] = 1e-9 * (t % 2);
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
    expect(steps[5].executed[0]).toBeCloseTo(steps[5].asked[0], 3);
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
    loop.control.kernel.forget();
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

  /** A person who asks for the same pose at every tick. */
  const ask = (loop: ControlLoop, by: 'person' | 'recovery', q: number[], now_s: number) =>
    loop.guest.set(by, q, now_s);
  const authoritiesOf = (steps: Step[]) => steps.map((s) => authorities[s.authority]);

  it('marks the steps that a person had a hand in; the episode goes on, and the policy knows what it saw', () => {
    const policy = new Counting();
    const { loop, run, rise, now_s } = stand(policy);
    rise();
    const steps = run(2 * TICKS + 5);
    expect(loop.takeOver('person', now_s())).toBe(true);
    const pose = spec.joints.map((j) => j.home_rad + 0.05);
    for (let t = 0; t < 3 * TICKS; t++) {
      ask(loop, 'person', pose, now_s());
      steps.push(...run(1));
    }
    loop.release(now_s());
    steps.push(...run(3 * TICKS));
    expect(authoritiesOf(steps)).toEqual([
      ...['policy', 'policy'],
      ...['person', 'person', 'person', 'person'],
      ...['policy', 'policy'],
    ]);
    expect(steps.every((s) => s.flags === 0)).toBe(true);
    expect(policy.calls).toBe(9);
    // Asked and executed are the person's, as an action.
    const theirs = steps[4];
    theirs.asked.forEach((a, j) => {
      expect(a).toBeCloseTo(0.05 / spec.joints[j].action_rad, 5);
    });
    theirs.executed.forEach((a, j) => {
      expect(a).toBeCloseTo(theirs.asked[j], 1);
    });
  });

  it('begins an episode for a person without any policy, once they move, and none while they are away', () => {
    const { loop, run, now_s } = stand();
    expect(loop.takeOver('person', now_s())).toBe(true);
    const home = spec.joints.map((j) => j.home_rad);
    for (let t = 0; t < 2 * TICKS; t++) {
      ask(loop, 'person', home, now_s());
      run(1);
    }
    expect([loop.phase, loop.episodes]).toEqual(['running', 1]);
    const { episodeSteps } = createTask('walk', spec);
    const steps = run((episodeSteps + 10) * TICKS);
    expect(steps.at(-1)!.flags).toBe(StepFlag.truncated);
    expect([loop.phase, loop.episodes, loop.control.kernel.mode]).toEqual(['visiting', 1, 'hold']);
    expect(loop.control.kernel.events.drain().map((e) => e.cause)).toEqual(['deadman']);
  });

  it('cuts an episode between steps for a recovery, and rises when that is done', () => {
    const { loop, run, rise, now_s } = stand(new Counting());
    rise();
    const steps = run(2 * TICKS + 5);
    expect(loop.takeOver('recovery', now_s())).toBe(true);
    steps.push(...run(2 * TICKS));
    expect(steps.map((s) => s.flags)).toEqual([0, 0, StepFlag.truncated]);
    expect(authoritiesOf(steps)).toEqual(['policy', 'policy', 'policy']);
    expect([loop.phase, loop.control.kernel.authority]).toEqual(['visiting', 'recovery']);
    loop.release(now_s());
    run(1);
    expect([loop.phase, loop.control.kernel.authority]).toEqual(['rising', 'policy']);
  });

  it('lets a recovery take up a robot that lies, and counts its fall once', () => {
    const { loop, run, rise, now_s } = stand(new Counting());
    rise();
    run(3 * TICKS);
    loop.state.orientation.set([Math.cos(0.6), Math.sin(0.6), 0, 0]);
    run(2 * TICKS);
    expect([loop.control.kernel.mode, loop.falls]).toEqual(['damp', 1]);
    expect(loop.takeOver('person', now_s())).toBe(false);
    expect(loop.takeOver('recovery', now_s())).toBe(true);
    const pose = spec.stop.pose_rad as number[];
    for (let t = 0; t < 10; t++) {
      ask(loop, 'recovery', pose, now_s());
      run(1);
    }
    expect([loop.control.kernel.mode, loop.falls]).toEqual(['run', 1]);
    // Given back as it lies, it is a fallen robot again.
    loop.release(now_s());
    run(2);
    expect([loop.control.kernel.mode, loop.phase, loop.falls]).toEqual(['damp', 'off', 1]);
  });

  it('gives nobody a robot that stopped for an emergency', () => {
    const { loop, run, rise, now_s } = stand(new Counting());
    rise();
    loop.control.kernel.emergencyStop(now_s());
    run(1);
    expect(loop.takeOver('person', now_s())).toBe(false);
    expect(loop.takeOver('recovery', now_s())).toBe(false);
    loop.release(now_s());
    run(1);
    expect(loop.control.kernel.mode).toBe('damp');
  });

  it('is a recovery from the first tick on in a task that begins lying, and no fall ends it', () => {
    const { loop, run, now_s } = stand(new Counting(), 'rise');
    loop.state.orientation.set([0, 1, 0, 0]);
    const steps = run(5 * TICKS);
    expect(steps.length).toBeGreaterThanOrEqual(4);
    expect(steps.every((s) => s.flags === 0 && authorities[s.authority] === 'recovery')).toBe(true);
    expect(loop.falls).toBe(0);
    // Back to the same after a person had it, wherever they left it.
    loop.state.orientation.set([1, 0, 0, 0]);
    expect(loop.takeOver('person', now_s())).toBe(true);
    run(TICKS);
    loop.state.orientation.set([0, 1, 0, 0]);
    loop.release(now_s());
    run(3 * TICKS);
    expect([loop.control.kernel.authority, loop.falls]).toEqual(['recovery', 0]);
  });

  it('keeps what a broken sensor said out of learning, also where the reward does not show it', () => {
    const { loop, run, rise, now_s } = stand(new Counting());
    rise();
    run(3 * TICKS);
    const steps: Step[] = [];
    for (let t = 0; t < TICKS && steps.length === 0; t++) {
      loop.state.time_s = now_s() + (t + 1) * DT_S;
      loop.state.velocity_rad_s[4] = Number.NaN;
      loop.tick(loop.state.time_s, TICKS);
      if (loop.stepDone) steps.push(loop.layout.read(loop.record));
    }
    expect(steps.map((s) => s.flags)).toEqual([StepFlag.interrupted]);
  });

  it('does not arm on a sample that is old', () => {
    const { loop } = stand();
    loop.control.kernel.forget();
    loop.state.time_s = 10;
    expect(loop.arm(10 + 2 * spec.watchdog.sensor_age_s)).toBe(false);
    expect(loop.control.kernel.mode).toBe('idle');
    expect(loop.arm(10)).toBe(true);
  });
});
