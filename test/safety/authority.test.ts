import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chain } from '../../src/robot/kinematics.js';
import { loadRobot } from '../../src/robot/load.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import { DriveMode, RobotState } from '../../src/robot/state.js';
import { authorities, mayTakeOver } from '../../src/safety/authority.js';
import { SafetyKernel } from '../../src/safety/kernel.js';

const arm = loadRobot('arm').spec;
const quadruped = loadRobot('quadruped').spec;
const runs = { seed: 3, numRuns: 60 };

/** A kernel with a robot that goes exactly where its targets are. */
function taken(spec: RobotSpec, q?: ArrayLike<number>) {
  const kernel = new SafetyKernel(spec);
  const state = RobotState.for(spec);
  state.position_rad.set(q ?? spec.joints.map((j) => j.home_rad));
  const dt_s = 1 / spec.rates.control_hz;
  let now_s = 1;
  kernel.arm(state);
  return {
    kernel,
    state,
    /** One tick; the wish is fresh unless it is said how old it is. */
    tick(asked: Float64Array, age_s = 0) {
      now_s += dt_s;
      state.time_s = now_s;
      // A living sensor is never the same to the last bit.
      state.gyro_rad_s[0] = 1e-9 - state.gyro_rad_s[0];
      if (kernel.command.mode === DriveMode.track) state.position_rad.set(kernel.executed_rad);
      kernel.step(state, asked, now_s - age_s, now_s);
    },
  };
}

const pose = (spec: RobotSpec) =>
  fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: spec.joints.length,
      maxLength: spec.joints.length,
    })
    .map((shares) =>
      Float64Array.from(shares, (x, j) => {
        const [low, high] = spec.joints[j].position_rad;
        return low + x * (high - low);
      }),
    );

describe('who may take over', () => {
  it('a stop is left by arming alone, and a person lets go themselves', () => {
    for (const other of authorities) {
      expect(mayTakeOver('stop', other)).toBe(false);
      expect(mayTakeOver(other, 'stop')).toBe(false);
    }
    expect(mayTakeOver('person', 'recovery')).toBe(false);
    expect(mayTakeOver('person', 'policy')).toBe(true);
    for (const other of ['policy', 'recovery'] as const) expect(mayTakeOver(other, 'person')).toBe(true);
  });

  it('is nobody while the robot is without torque or stops', () => {
    const kernel = new SafetyKernel(arm);
    expect(kernel.authority).toBe('stop');
    expect(kernel.handOver('person')).toBe(false);
    expect(kernel.arm(RobotState.for(arm))).toBe(true);
    expect(kernel.authority).toBe('policy');
    expect(kernel.handOver('person')).toBe(true);
    kernel.requestStop(1);
    expect(kernel.authority).toBe('stop');
    expect(kernel.handOver('policy')).toBe(false);
  });
});

describe.each([arm, quadruped])('a handover on the $name', (spec) => {
  const dt_s = 1 / spec.rates.control_hz;

  it('is not felt: targets go on from where and as fast as they were, whoever takes over and wherever to', () => {
    const order = fc.array(
      fc.record({
        to: fc.constantFrom('policy', 'person', 'recovery'),
        asked: pose(spec),
        ticks: fc.integer({ min: 1, max: 60 }),
      }),
      { minLength: 2, maxLength: 8 },
    );
    let handovers = 0;
    fc.assert(
      fc.property(order, (turns) => {
        const { kernel, tick } = taken(spec);
        const before = kernel.executed_rad.slice();
        const speed = new Float64Array(before.length);
        for (const { to, asked, ticks } of turns) {
          if (to !== kernel.authority && kernel.handOver(to)) handovers++;
          for (let t = 0; t < ticks; t++) {
            tick(asked);
            for (let j = 0; j < before.length; j++) {
              const next = (kernel.executed_rad[j] - before[j]) / dt_s;
              const most = spec.joints[j].acceleration_rad_s2 * dt_s + 1e-6;
              expect(Math.abs(next - speed[j])).toBeLessThanOrEqual(most);
              speed[j] = next;
            }
            before.set(kernel.executed_rad);
          }
        }
      }),
      runs,
    );
    expect(handovers).toBeGreaterThan(50);
  });

  it('starts slowly: the speed limits of the one who takes over rise over handover_s', () => {
    const { kernel, tick } = taken(
      spec,
      spec.joints.map((j) => j.position_rad[0]),
    );
    const far = Float64Array.from(spec.joints, (j) => j.position_rad[1]);
    const low = Float64Array.from(spec.joints, (j) => j.position_rad[0]);
    kernel.handOver('person');
    for (let t = 0; t < spec.rates.control_hz; t++) tick(low);
    kernel.handOver('policy');
    const before = kernel.executed_rad.slice();
    const share = spec.person.joint_share;
    for (let t = 1; t <= spec.handover_s / dt_s; t++) {
      tick(far);
      const allowed = Math.min(1, share + (t * dt_s) / spec.handover_s);
      kernel.executed_rad.forEach((q, j) => {
        const limit = allowed * spec.joints[j].velocity_rad_s;
        expect(Math.abs(q - before[j]) / dt_s).toBeLessThanOrEqual(limit + 1e-6);
      });
      before.set(kernel.executed_rad);
    }
  });
});

describe('a person', () => {
  it.each([arm, quadruped])('who lets go of the switch leaves the $name holding', (spec) => {
    const { kernel, tick } = taken(spec);
    const home = Float64Array.from(spec.joints, (j) => j.home_rad);
    kernel.handOver('person');
    tick(home, spec.person.deadman_s * 0.99);
    expect(kernel.mode).toBe('run');
    tick(home, spec.person.deadman_s * 1.01);
    expect(kernel.mode).toBe('hold');
    expect(kernel.authority).toBe('person');
    expect(kernel.events.drain().map((e) => [e.cause, e.limit])).toEqual([
      ['deadman', spec.person.deadman_s],
    ]);
    tick(home);
    expect(kernel.mode).toBe('run');
  });

  it('moves the tool at 250 mm/s at most, from any pose to any other', () => {
    const tool = new Chain(arm.chains.find((c) => c.kind === 'tool')!, arm);
    const speed = new Float64Array(arm.joints.length);
    let fastest = 0;
    fc.assert(
      fc.property(
        pose(arm),
        fc.array(pose(arm), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 20, max: 300 }),
        (from, wishes, ticks) => {
          const { kernel, tick } = taken(arm, from);
          kernel.handOver('person');
          const before = kernel.executed_rad.slice();
          for (const asked of wishes)
            for (let t = 0; t < ticks; t++) {
              tick(asked);
              for (let j = 0; j < speed.length; j++)
                speed[j] = (kernel.executed_rad[j] - before[j]) * arm.rates.control_hz;
              before.set(kernel.executed_rad);
              tool.update(kernel.executed_rad, speed);
              fastest = Math.max(fastest, Math.hypot(...tool.tipVelocity_m_s));
              speed.forEach((v, j) => {
                const limit = arm.person.joint_share * arm.joints[j].velocity_rad_s;
                expect(Math.abs(v)).toBeLessThanOrEqual(limit + 1e-6);
              });
            }
        },
      ),
      runs,
    );
    // Levers change a little within a tick.
    expect(fastest).toBeLessThanOrEqual(arm.person.tool_m_s * 1.01);
    expect(fastest).toBeGreaterThan(arm.person.tool_m_s * 0.8);
  });

  it('arrives where they point, slowly', () => {
    const { kernel, tick } = taken(arm);
    const goal = Float64Array.from(arm.joints, (j) => j.home_rad + 0.2);
    kernel.handOver('person');
    for (let t = 0; t < 3 * arm.rates.control_hz; t++) tick(goal);
    kernel.executed_rad.forEach((q, j) => {
      expect(q).toBeCloseTo(goal[j], 6);
    });
  });
});
