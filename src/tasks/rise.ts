import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import { gravityInBody, rotateInverse, uprightness, yaw_rad } from '../robot/rotation.js';
import { feetOf, type RobotSpec } from '../robot/spec.js';
import { Stance } from '../robot/stance.js';
import type { RobotState } from '../robot/state.js';
import { drawLying } from './lying.js';
import { joinMirrors, jointMirror, signs } from './mirror.js';
import type { Moment, Task, TaskParameters } from './task.js';

/** Of the way from the last target to where an action points, in one step. */
const SHARE = 0.25;
const EPISODE_S = 10;
/** A part of the reward counts only where the one before it is above this. */
const NEXT = 0.7;
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
 * its time. Departures, with reasons: what is paid for last is standing still, since walking is a task of
 * its own here, unless `walk_m_s` asks for it as the reference does; a step goes a quarter of the way to
 * where the action points, anywhere in the joints' range, rather than by 0.2 rad at most: rolling off the back
 * takes a swing of the legs, and so limits cut off next to nothing of what is asked, which a model that learns
 * from what is executed would never see; gravity's direction in place of roll and pitch, which have a pole;
 * power and changes of action cost a little.
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

  /** 1 − the mean deviation from standing, rad, of the joints at one place of the legs. */
  const nearHome = (state: RobotState, level: readonly number[]): number => {
    let sum = 0;
    for (const j of level) sum += Math.abs(state.position_rad[j] - home[j]);
    return Math.max(0, 1 - sum / level.length);
  };

  const progress = (moment: Moment): number => {
    const { state } = moment;
    let last = (uprightness(state.orientation) + 1) / 2;
    let sum = last;
    for (const level of levels) {
      if (last <= NEXT) return sum;
      last = nearHome(state, level);
      sum += last;
    }
    if (last <= NEXT) return sum;
    if (walk_m_s !== undefined) return sum + 5 * (1 + forward(moment, walk_m_s));
    if (!stance.holds(state)) return sum;
    return sum + 5 * (2 - Math.min(1, meanSpeed_rad_s(state) / MOVING_RAD_S));
  };

  /** 1 for straight ahead at the speed asked for or faster, −1 for backwards: a share of the way is ahead, a share of the speed there. */
  const forward = ({ state, moved_m }: Moment, asked_m_s: number): number => {
    const yaw = yaw_rad(state.orientation);
    const ahead_m = Math.cos(yaw) * moved_m[0] + Math.sin(yaw) * moved_m[1];
    return ahead_m / Math.max(Math.hypot(moved_m[0], moved_m[1]), asked_m_s / spec.rates.policy_hz);
  };

  const meanSpeed_rad_s = ({ velocity_rad_s }: RobotState): number => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += Math.abs(velocity_rad_s[j]);
    return sum / n;
  };

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
