import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import { gravityInBody, rotateInverse, uprightness } from '../robot/rotation.js';
import { feetOf, type JointSpec, type RobotSpec } from '../robot/spec.js';
import { Stance } from '../robot/stance.js';
import type { RobotState } from '../robot/state.js';
import { drawLying } from './lying.js';
import { joinMirrors, jointMirror, signs } from './mirror.js';
import { forward_m, type Moment, type Task, type TaskParameters } from './task.js';

/** Of the way from the last target to where an action points, in one step. */
const SHARE = 0.25;
const EPISODE_S = 10;
/** Upright enough for the legs to count: (1 + the cosine of the tilt) / 2. */
const UPRIGHT = 0.7;
/** The joints further out count in full where those before are this close to standing, rad, on average .. */
const NEAR_RAD = 0.3;
/** .. and not at all where they are this far from it. */
const FAR_RAD = 0.9;
/** Mean speed of the joints, rad/s, at which nothing more is paid for standing still. */
const MOVING_RAD_S = 1;
/** It stands still below this. */
const STILL_RAD_S = 0.4;
/** Beyond this a body's speed is an estimate that has drifted, since none of its feet stands. */
const SHOWN_M_S = 2;
/** The reward is in tenths of the reference's, so that a step pays what one of walking does. */
const SCALE = 0.1;
const COST = { actionChange: 0.002, power_per_w: 0.0001 } as const;
const MAX_COUNTED_W = 150;
/** Share of the speed asked for that counts as walking at an episode's end. */
const WALKS_SHARE = 0.7;

const parametersSchema = z.strictObject({
  walk_m_s: z
    .number()
    .positive()
    .max(2)
    .optional()
    .describe('forward speed that is paid for, once it stands, in place of standing still'),
});

/**
 * Get up from wherever the robot lies, and stand, after DayDreamer (Wu et al. 2022): 20 Hz, targets that
 * move by a bounded step, and the reward of its appendix, in which being upright, then abduction, hips and
 * knees near the standing pose are paid for, each once the one before is there. Nothing ends an episode but
 * its time. Departures, with reasons:
 * - What is paid for last is standing still, since walking is a task of its own here, unless `walk_m_s` asks
 *   for it as the reference does.
 * - A part of the legs is paid by how much nearer to standing it is than it could be, so that coming nearer
 *   pays from anywhere: a hip that has swung the robot over ends more than 1 rad away, where 1 − deviation is
 *   less than nothing.
 * - What lies further out, and what is paid for last, count more and more as what comes before nears standing, rather than from
 *   a limit on: a robot on two folded knees would have had to give up all that it was paid for its hips' being
 *   right, since they have to swing for it to get up, and stayed there.
 * - A step goes a quarter of the way to where the action points, anywhere in the joints' range, rather than by
 *   0.2 rad at most: rolling off the back takes a swing of the legs, and so limits cut off next to nothing of
 *   what is asked, which a model that learns from what is executed would never see.
 * - Gravity's direction in place of roll and pitch, which have a pole.
 * - Power and changes of action cost a little.
 */
export function rise(spec: RobotSpec, given: TaskParameters = {}, where = 'task parameters'): Task {
  const { walk_m_s } = parseUserInput(parametersSchema, given, where);
  const n = spec.joints.length;
  const feet = feetOf(spec);
  if (spec.base !== 'floating' || feet.length === 0)
    throw new UserError(`task rise needs a legged robot; ${spec.name} has no feet on a floating base`);
  const home = spec.joints.map((j) => j.home_rad);
  const stance = new Stance(spec);
  const velocity = new Float64Array(3);
  const joints = jointMirror(spec);
  const levels = jointLevels(spec);
  const furthest_rad = levels.map((level) => mean(level, (j) => furthestFromHome_rad(spec.joints[j])));

  const progress = (moment: Moment): number => {
    const { state } = moment;
    const upright = (uprightness(state.orientation) + 1) / 2;
    if (upright <= UPRIGHT) return upright;
    let sum = upright;
    let counts = 1;
    for (const [l, level] of levels.entries()) {
      const away_rad = mean(level, (j) => Math.abs(state.position_rad[j] - home[j]));
      sum += counts * (furthest_rad[l] - away_rad);
      counts *= Math.min(1, Math.max(0, (FAR_RAD - away_rad) / (FAR_RAD - NEAR_RAD)));
    }
    if (walk_m_s !== undefined) return sum + counts * 5 * (1 + forward(moment, walk_m_s));
    if (!stance.holds(state)) return sum;
    return sum + counts * 5 * (2 - Math.min(1, meanSpeed_rad_s(state) / MOVING_RAD_S));
  };

  /** 1 for straight ahead at the speed asked for or faster, −1 for backwards: a share of the way is ahead, a share of the speed there. */
  const forward = (moment: Moment, asked_m_s: number): number =>
    forward_m(moment) /
    Math.max(Math.hypot(moment.moved_m[0], moment.moved_m[1]), asked_m_s / spec.rates.policy_hz);

  const everyJoint = [...spec.joints.keys()];
  const meanSpeed_rad_s = ({ velocity_rad_s }: RobotState): number =>
    mean(everyJoint, (j) => Math.abs(velocity_rad_s[j]));

  return {
    name: 'rise',
    episodeSteps: EPISODE_S * spec.rates.policy_hz,
    contract: {
      observation: [
        { name: 'joint_offset_from_home', size: n, unit: 'rad' },
        { name: 'joint_velocity', size: n, unit: '10 rad/s' },
        { name: 'target_lead', size: n, unit: '0.2 rad' },
        { name: 'gyro', size: 3, unit: 'rad/s' },
        { name: 'body_velocity_estimate', size: 3, unit: 'm/s' },
        { name: 'gravity_direction', size: 3, unit: '1' },
      ],
      action: { kind: 'approach', ...wholeRange(spec), share: SHARE },
    },

    // In the mirror y changes sign, and so do turns about x and z.
    mirror: joints && {
      observation: joinMirrors([joints, joints, joints, signs(-1, 1, -1), signs(1, -1, 1), signs(1, -1, 1)]),
      action: joints,
    },

    createMemory: () => ({
      heading_rad: 0,
      goal: new Float64Array(0),
      action: new Float32Array(n),
      previousAction: new Float32Array(n),
    }),

    startsLying: (random) => drawLying(spec, random),

    begin(memory) {
      memory.action.fill(0);
      memory.previousAction.fill(0);
    },

    observe({ state, estimate, executed_rad }, _memory, out) {
      let at = 0;
      for (let j = 0; j < n; j++) out[at++] = state.position_rad[j] - home[j];
      for (let j = 0; j < n; j++) out[at++] = 0.1 * state.velocity_rad_s[j];
      for (let j = 0; j < n; j++) out[at++] = 5 * (executed_rad[j] - state.position_rad[j]);
      for (let k = 0; k < 3; k++) out[at++] = state.gyro_rad_s[k];
      rotateInverse(state.orientation, estimate.velocity_m_s, velocity);
      for (let k = 0; k < 3; k++) out[at++] = Math.min(SHOWN_M_S, Math.max(-SHOWN_M_S, velocity[k]));
      gravityInBody(state.orientation, out, at);
    },

    reward(moment, { action, previousAction }) {
      let change = 0;
      for (let j = 0; j < n; j++) change += (action[j] - previousAction[j]) ** 2;
      return (
        SCALE * progress(moment) -
        COST.actionChange * change -
        COST.power_per_w * Math.min(MAX_COUNTED_W, moment.power_w)
      );
    },

    terminated: () => false,

    succeeded: ({ state }) =>
      walk_m_s === undefined
        ? stance.holds(state) && meanSpeed_rad_s(state) < STILL_RAD_S
        : stance.isUp(state),
    endSpeed_m_s: walk_m_s && WALKS_SHARE * walk_m_s,
  };
}

/** Actions point anywhere that the joints go. */
function wholeRange({ joints }: RobotSpec) {
  return {
    centre_rad: joints.map(({ position_rad: [low, high] }) => (low + high) / 2),
    scale_rad: joints.map(({ position_rad: [low, high] }) => (high - low) / 2),
  };
}

/** Joints by their place in the legs, from the body outwards: abduction, hips, knees. */
function jointLevels(spec: RobotSpec): number[][] {
  const legs = feetOf(spec).map((foot) =>
    foot.links.map((l) => spec.joints.findIndex((j) => j.name === l.joint)),
  );
  return legs[0].map((_, level) => legs.map((leg) => leg[level]));
}

function mean(joints: readonly number[], of: (joint: number) => number): number {
  let sum = 0;
  for (const j of joints) sum += of(j);
  return sum / joints.length;
}

function furthestFromHome_rad({ home_rad, position_rad: [low, high] }: JointSpec): number {
  return Math.max(home_rad - low, high - home_rad);
}
