import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { Chain } from '../../src/robot/kinematics.js';
import { loadRobot } from '../../src/robot/load.js';
import { type BodyMotion, RobotState } from '../../src/robot/state.js';
import { createTask } from '../../src/tasks/index.js';
import {
  type ActionContract,
  actionToTargets,
  observationSize,
  type Task,
  type TaskParameters,
  targetsToAction,
  tolerance,
} from '../../src/tasks/task.js';
import { StepWindow } from '../../src/tasks/window.js';

const quadruped = loadRobot('quadruped').spec;
const arm = loadRobot('arm').spec;

const still = (): BodyMotion => ({ position_m: new Float64Array(3), velocity_m_s: new Float64Array(3) });

/** A robot at home pose, its motion set by hand. */
function scene(spec: typeof quadruped, name: string, parameters?: TaskParameters) {
  const task: Task = createTask(name, spec, parameters);
  const state = RobotState.for(spec);
  state.position_rad.set(spec.joints.map((j) => j.home_rad));
  const motion = still();
  const executed = Float64Array.from(state.position_rad);
  const window = new StepWindow(spec, state, motion, motion, executed);
  const memory = task.createMemory();
  window.begin();
  task.begin(memory, window, new Random(1));
  return { task, state, motion, executed, window, memory };
}

describe.each([
  ['walk', quadruped],
  ['rise', quadruped],
  ['reach', arm],
] as const)('task %s', (name, spec) => {
  it('writes exactly as many values as its contract says', () => {
    const { task, window, memory, state } = scene(spec, name);
    state.velocity_rad_s.fill(0.3);
    const size = observationSize(task.contract);
    const observation = new Float32Array(size + 4).fill(Number.NaN);
    task.observe(window, memory, observation);
    expect(observation.subarray(0, size).every(Number.isFinite)).toBe(true);
    expect(observation.subarray(size).every(Number.isNaN)).toBe(true);
  });

  it('asks for nothing outside the position limits with residual actions', () => {
    const { action } = createTask(name, spec).contract;
    expect(action.centre_rad).toHaveLength(spec.joints.length);
    expect(action.scale_rad).toHaveLength(spec.joints.length);
    if (action.kind !== 'residual') return;
    spec.joints.forEach(({ position_rad }, j) => {
      expect(action.centre_rad[j] - action.scale_rad[j]).toBeGreaterThanOrEqual(position_rad[0]);
      expect(action.centre_rad[j] + action.scale_rad[j]).toBeLessThanOrEqual(position_rad[1]);
    });
  });
});

describe('walk', () => {
  const speedReward = (forward_m_s: number, sideways_m_s = 0, yaw_rad = 0) => {
    const s = scene(quadruped, 'walk');
    s.state.orientation.set([Math.cos(yaw_rad / 2), 0, 0, Math.sin(yaw_rad / 2)]);
    s.task.begin(s.memory, s.window, new Random(1));
    const period_s = 1 / quadruped.rates.policy_hz;
    const [c, n] = [Math.cos(yaw_rad), Math.sin(yaw_rad)];
    s.motion.position_m[0] = (c * forward_m_s - n * sideways_m_s) * period_s;
    s.motion.position_m[1] = (n * forward_m_s + c * sideways_m_s) * period_s;
    s.window.tick();
    return s.task.reward(s.window, s.memory);
  };

  it('pays for forward speed along the starting heading, whichever that is, and for nothing else', () => {
    expect(speedReward(0.7)).toBeGreaterThan(speedReward(0.3));
    expect(speedReward(0.3)).toBeGreaterThan(speedReward(0));
    expect(speedReward(-0.5)).toBeLessThanOrEqual(speedReward(0));
    expect(speedReward(2.5)).toBeLessThan(speedReward(0.7));
    expect(speedReward(0.7, 0, 2)).toBeCloseTo(speedReward(0.7), 9);
    expect(speedReward(0, 0.7)).toBeLessThan(speedReward(0));
    expect(speedReward(0.7, 0.5)).toBeLessThan(speedReward(0.7));
  });

  it('charges for power and for changes of action', () => {
    const paid = (change: (s: ReturnType<typeof scene>) => void) => {
      const s = scene(quadruped, 'walk');
      change(s);
      s.window.tick();
      return s.task.reward(s.window, s.memory);
    };
    const base = paid(() => {});
    expect(
      paid(({ state }) => {
        state.torque_nm.fill(5);
        state.velocity_rad_s.fill(2);
      }),
    ).toBeLessThan(base);
    expect(paid(({ memory }) => memory.action.fill(0.5))).toBeLessThan(base);
  });

  it('is over when the body tips by more than 30 degrees, not by less', () => {
    const at = (tilt_deg: number) => {
      const s = scene(quadruped, 'walk');
      const half = (tilt_deg * Math.PI) / 360;
      s.state.orientation.set([Math.cos(half), 0, Math.sin(half), 0]);
      return s.task.terminated(s.window, s.memory);
    };
    expect(at(29)).toBe(false);
    expect(at(31)).toBe(true);
  });

  it('is refused for a robot without legs', () => {
    expect(() => createTask('walk', arm)).toThrow(UserError);
    expect(() => createTask('walk', arm)).toThrow(/task walk needs a legged robot; arm has no feet/);
  });
});

describe('rise', () => {
  /** Most that the legs are paid for: of abduction, hips and knees, the way from standing to the end that is further. */
  const legs_rad = 0.853 + 3.49 + 1.3;

  /** The reward of a robot in a posture, its feet loaded or not, its joints moving. */
  const paid = (
    roll_rad: number,
    bent_rad: readonly [number, number, number],
    { load_n = 30, speed_rad_s = 0 } = {},
  ) => {
    const s = scene(quadruped, 'rise');
    s.state.orientation.set([Math.cos(roll_rad / 2), Math.sin(roll_rad / 2), 0, 0]);
    s.state.footForce_n.fill(load_n);
    quadruped.joints.forEach((joint, j) => {
      s.state.position_rad[j] = joint.home_rad + bent_rad[j % 3];
      s.state.velocity_rad_s[j] = speed_rad_s;
    });
    s.window.tick();
    return s.task.reward(s.window, s.memory);
  };

  it('pays for upright, then abduction, hips and knees, then standing still, each once the one before is there', () => {
    const folded = [0.6, 1.5, -1] as const;
    const steps = [
      paid(Math.PI, folded),
      paid(Math.PI / 2, folded),
      paid(0, folded),
      paid(0, [0, 1.5, -1]),
      paid(0, [0, 0, -1]),
      paid(0, [0, 0, 0], { load_n: 0 }),
      paid(0, [0, 0, 0], { speed_rad_s: 2 }),
      paid(0, [0, 0, 0], { speed_rad_s: 0.5 }),
      paid(0, [0, 0, 0]),
    ];
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
    expect(steps.at(-1)).toBeCloseTo(0.1 * (11 + legs_rad), 6);
    // Coming nearer pays from anywhere, however far a hip has swung.
    expect(paid(0, [0, 2.4, -1])).toBeGreaterThan(paid(0, [0, 2.5, -1]));
    // Half of what comes after them for standing with its legs spread halfway.
    expect(paid(0, [0.6, 0, 0])).toBeCloseTo(0.1 * (1 + 0.853 - 0.6 + (3.49 + 1.3 + 10) / 2), 6);
    // Nothing for joints that are where they should be while it lies.
    expect(paid(Math.PI, [0, 0, 0])).toBeCloseTo(paid(Math.PI, folded), 9);
  });

  it('pays for walking where that is asked for: most for straight ahead at the speed asked for', () => {
    const yaw_rad = 2;
    const walked = (ahead_m_s: number, left_m_s: number, roll_rad = 0) => {
      const s = scene(quadruped, 'rise', { walk_m_s: 0.3 });
      const [c, n] = [Math.cos(yaw_rad), Math.sin(yaw_rad)];
      const tilted = [Math.cos(roll_rad / 2), Math.sin(roll_rad / 2)];
      const [ch, sh] = [Math.cos(yaw_rad / 2), Math.sin(yaw_rad / 2)];
      s.state.orientation.set([ch * tilted[0], ch * tilted[1], sh * tilted[1], sh * tilted[0]]);
      s.motion.position_m[0] = (c * ahead_m_s - n * left_m_s) / quadruped.rates.policy_hz;
      s.motion.position_m[1] = (n * ahead_m_s + c * left_m_s) / quadruped.rates.policy_hz;
      s.window.tick();
      return s.task.reward(s.window, s.memory);
    };
    const stood = 0.1 * (1 + legs_rad);
    expect(walked(0.3, 0)).toBeCloseTo(stood + 1, 6);
    expect(walked(0.6, 0)).toBeCloseTo(stood + 1, 6);
    expect(walked(0.15, 0)).toBeCloseTo(stood + 0.75, 6);
    expect(walked(0, 0)).toBeCloseTo(stood + 0.5, 6);
    expect(walked(0, 0.3)).toBeCloseTo(stood + 0.5, 6);
    expect(walked(-0.3, 0)).toBeCloseTo(stood, 6);
    expect(walked(0.3, 0, Math.PI)).toBeCloseTo(0, 6);
    const { task, state, window, memory } = scene(quadruped, 'rise', { walk_m_s: 0.3 });
    state.footForce_n.fill(30);
    state.velocity_rad_s.fill(2);
    // A stride tilts the body, which a robot that stands does not.
    const tilted = (rad: number) => {
      state.orientation.set([Math.cos(rad / 2), 0, Math.sin(rad / 2), 0]);
      window.tick();
      return task.succeeded?.(window, memory);
    };
    expect([0, 0.8, 1].map(tilted)).toEqual([true, true, false]);
    expect(task.endSpeed_m_s).toBeCloseTo(0.21, 9);
  });

  it('pays for coming nearer to standing from anywhere, and has no step that a robot had to go down first', () => {
    const off_rad = fc.double({ min: -1.2, max: 1.2, noNaN: true });
    const worth = (offsets_rad: readonly number[]) => {
      const s = scene(quadruped, 'rise', { walk_m_s: 0.3 });
      quadruped.joints.forEach((joint, j) => {
        s.state.position_rad[j] = joint.home_rad + offsets_rad[j];
      });
      s.window.tick();
      return s.task.reward(s.window, s.memory);
    };
    const bent = fc.array(off_rad, { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(bent, (offsets_rad) => {
        const way = Array.from({ length: 101 }, (_, k) => worth(offsets_rad.map((o) => (1 - k / 100) * o)));
        const gains = way.slice(1).map((reward, k) => reward - way[k]);
        expect(Math.min(...gains)).toBeGreaterThan(-1e-9);
        expect(Math.max(...gains)).toBeLessThan(0.1);
      }),
    );
  });

  it('never ends by how the robot lies, and is done once it stands on its feet', () => {
    const s = scene(quadruped, 'rise');
    s.state.footForce_n.fill(30);
    expect(s.task.succeeded?.(s.window, s.memory)).toBe(true);
    s.state.velocity_rad_s.fill(0.5);
    expect(s.task.succeeded?.(s.window, s.memory)).toBe(false);
    s.state.velocity_rad_s.fill(0);
    s.state.footForce_n.fill(0);
    expect(s.task.succeeded?.(s.window, s.memory)).toBe(false);
    s.state.orientation.set([0, 1, 0, 0]);
    expect(s.task.terminated(s.window, s.memory)).toBe(false);
  });
});

describe('reach', () => {
  it('draws targets that the tool can be brought to, above the table, and repeats them from a seed', () => {
    const { task, window, memory } = scene(arm, 'reach');
    const draw = (seed: number) => {
      task.begin(memory, window, new Random(seed));
      return Array.from(memory.goal);
    };
    const longest_m = arm.chains[0].links.reduce((sum, l) => sum + Math.hypot(...l.offset_m), 0.1);
    for (let seed = 0; seed < 200; seed++) {
      const goal = draw(seed);
      expect(goal[2]).toBeGreaterThan(0);
      expect(Math.hypot(...goal)).toBeLessThan(longest_m);
    }
    expect(draw(7)).toEqual(draw(7));
    expect(draw(8)).not.toEqual(draw(7));
  });

  it('has succeeded within 2 cm of the target, and pays more the nearer the tool is', () => {
    const { task, window, memory, state } = scene(arm, 'reach');
    const tool = new Chain(arm.chains[0], arm);
    tool.update(state.position_rad);
    const at = (distance_m: number) => {
      memory.goal.set([tool.tip_m[0] + distance_m, tool.tip_m[1], tool.tip_m[2]]);
      return { reward: task.reward(window, memory), success: task.succeeded?.(window, memory) };
    };
    expect(at(0.019).success).toBe(true);
    expect(at(0.021).success).toBe(false);
    const rewards = [0, 0.01, 0.03, 0.1, 0.3].map((d) => at(d).reward);
    expect([...rewards].sort((a, b) => b - a)).toEqual(rewards);
  });

  it('is refused for a robot without a tool', () => {
    expect(() => createTask('reach', quadruped)).toThrow(
      /task reach needs a chain of kind "tool"; quadruped/,
    );
  });
});

it('an unknown task is refused with those that there are', () => {
  expect(() => createTask('dance', quadruped)).toThrow(/no task "dance"; there are walk, rise, reach/);
});

describe('actions', () => {
  const n = 3;
  const unit = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: n, maxLength: n });
  const from = Float64Array.of(0.1, -0.2, 0.3);
  const contracts: ActionContract[] = [
    { kind: 'residual', centre_rad: [0.5, 0, -1], scale_rad: [0.4, 0.1, 2] },
    { kind: 'delta', centre_rad: [0, 0, 0], scale_rad: [0.12, 0.12, 0.5] },
    { kind: 'approach', centre_rad: [0.5, 0, -1], scale_rad: [0.4, 0.1, 2], share: 0.25 },
  ];

  it.each(contracts)('of kind $kind become targets and back', (contract) => {
    fc.assert(
      fc.property(unit, (action) => {
        const targets = new Float64Array(n);
        const back = new Float32Array(n);
        actionToTargets(contract, action, from, targets);
        targetsToAction(contract, targets, from, back);
        back.forEach((a, j) => {
          expect(a).toBeCloseTo(action[j], 6);
        });
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it.each(contracts)('of kind $kind are cut to [−1, 1]', (contract) => {
    const [most, more] = [new Float64Array(n), new Float64Array(n)];
    actionToTargets(contract, [1, -1, 1], from, most);
    actionToTargets(contract, [7, -3, Number.POSITIVE_INFINITY], from, more);
    expect(more).toEqual(most);
  });
});

it('tolerance is 1 inside, falls linearly to 0 at the margin, and stays there', () => {
  const t = (x: number) => tolerance(x, 1, 2, 4);
  expect([t(1), t(1.5), t(2)]).toEqual([1, 1, 1]);
  expect(t(4)).toBeCloseTo(0.5, 12);
  expect(t(-1)).toBeCloseTo(0.5, 12);
  expect([t(6), t(100), t(-3)]).toEqual([0, 0, 0]);
});

describe('what is set for a task', () => {
  it('is where reach draws its targets, within what the tool reaches', () => {
    const targets = { from_m: [0.15, 0.05, 0.05], to_m: [0.3, 0.2, 0.2] };
    const task = createTask('reach', arm, { targets });
    const { window } = scene(arm, 'reach');
    const memory = task.createMemory();
    const random = new Random(3);
    const seen = new Set<string>();
    for (let episode = 0; episode < 100; episode++) {
      task.begin(memory, window, random);
      memory.goal.forEach((x, k) => {
        expect(x).toBeGreaterThanOrEqual(targets.from_m[k]);
        expect(x).toBeLessThanOrEqual(targets.to_m[k]);
      });
      seen.add(memory.goal.join());
    }
    expect(seen.size).toBeGreaterThan(20);
    expect(task.contract).toEqual(createTask('reach', arm).contract);
  });

  it('is the heading that walk pays for', () => {
    const { window, motion } = scene(quadruped, 'walk');
    const memory = createTask('walk', quadruped).createMemory();
    const headings = (heading_rad: [number, number]) => {
      const task = createTask('walk', quadruped, { heading_rad });
      return Array.from({ length: 20 }, (_, seed) => {
        task.begin(memory, window, new Random(seed));
        return memory.heading_rad;
      });
    };
    expect(new Set(headings([0.5, 0.5]))).toEqual(new Set([0.5]));
    expect(Math.min(...headings([-1, 1]))).toBeLessThan(-0.5);
    expect(Math.max(...headings([-1, 1]))).toBeGreaterThan(0.5);
    // To the left is right where that is asked for.
    const left = createTask('walk', quadruped, { heading_rad: [Math.PI / 2, Math.PI / 2] });
    motion.position_m[1] += 0.7 / quadruped.rates.policy_hz;
    window.tick();
    const paid = [createTask('walk', quadruped), left].map((task) => {
      task.begin(memory, window, new Random(1));
      return task.reward(window, memory);
    });
    expect(paid[1]).toBeGreaterThan(paid[0] + 0.5);
  });
});
