import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import { gravityInBody, rotateInverse, uprightness, wrapAngle_rad, yaw_rad } from '../robot/rotation.js';
import { feetOf, type RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';
import { joinMirrors, jointMirror, signs } from './mirror.js';
import { type EpisodeMemory, type Task, type TaskParameters, tolerance } from './task.js';

/**
 * Walk forward along the heading of the start, after "A Walk in the Park" (Smith et al. 2022): 20 Hz,
 * residual joint targets around standing, the same speed reward and termination. Departures, with
 * reasons: speed is counted along the starting heading, not the body's, since body speed pays for
 * walking in circles; power, foot slip and changes of action cost a little, since a gait that
 * chatters wears a robot out; and a fall costs something, since diving forward pays for a second.
 */
const SPEED_M_S = [0.65, 0.9] as const;
const SPEED_MARGIN_M_S = 0.75;
const SPEED_REWARD = 1.5;
const MAX_TILT_RAD = Math.PI / 6;
/** Power beyond this costs no more: a beginner that flails has to find out about standing first. */
const MAX_COUNTED_W = 150;
const COST = {
  heading: 0.3,
  yawRate: 0.05,
  sideways: 0.3,
  actionChange: 0.01,
  power_per_w: 0.003,
  slip_per_m_s: 0.4,
  touchdown: 0.12,
  fall: 10,
} as const;

const parametersSchema = z.strictObject({
  heading_rad: z
    .tuple([z.number().min(-Math.PI), z.number().max(Math.PI)])
    .refine(([low, high]) => low <= high, 'expected [low, high]')
    .default([0, 0])
    .describe(
      'where to walk, drawn for each episode from this range about where the robot looks at its start',
    ),
});

export function walk(spec: RobotSpec, given: TaskParameters = {}, where = 'task parameters'): Task {
  const { heading_rad } = parseUserInput(parametersSchema, given, where);
  const n = spec.joints.length;
  if (spec.base !== 'floating' || feetOf(spec).length === 0)
    throw new UserError(`task walk needs a legged robot; ${spec.name} has no feet on a floating base`);
  const home = spec.joints.map((j) => j.home_rad);
  const velocity = new Float64Array(3);
  const joints = jointMirror(spec);

  return {
    name: 'walk',
    episodeSteps: 20 * spec.rates.policy_hz,
    contract: {
      observation: [
        { name: 'joint_offset_from_home', size: n, unit: 'rad' },
        { name: 'joint_velocity', size: n, unit: '10 rad/s' },
        { name: 'gyro', size: 3, unit: 'rad/s' },
        { name: 'body_velocity_estimate', size: 3, unit: 'm/s' },
        { name: 'gravity_direction', size: 3, unit: '1' },
        { name: 'heading_error_sin_cos', size: 2, unit: '1' },
        { name: 'previous_action', size: n, unit: '1' },
      ],
      action: { kind: 'residual', centre_rad: home, scale_rad: spec.joints.map((j) => j.action_rad) },
    },

    // In the mirror y changes sign, and so do turns about x and z.
    mirror: joints && {
      observation: joinMirrors([
        joints,
        joints,
        signs(-1, 1, -1),
        signs(1, -1, 1),
        signs(1, -1, 1),
        signs(-1, 1),
        joints,
      ]),
      action: joints,
    },

    createMemory: () => ({
      heading_rad: 0,
      goal: new Float64Array(0),
      action: new Float32Array(n),
      previousAction: new Float32Array(n),
    }),

    begin(memory, { state }, random) {
      const [low, high] = heading_rad;
      const turn_rad = high > low ? random.uniform(low, high) : low;
      memory.heading_rad = yaw_rad(state.orientation) + turn_rad;
      memory.action.fill(0);
      memory.previousAction.fill(0);
    },

    observe({ state, estimate }, memory, out) {
      let at = 0;
      for (let j = 0; j < n; j++) out[at++] = state.position_rad[j] - home[j];
      for (let j = 0; j < n; j++) out[at++] = 0.1 * state.velocity_rad_s[j];
      for (let k = 0; k < 3; k++) out[at++] = state.gyro_rad_s[k];
      rotateInverse(state.orientation, estimate.velocity_m_s, velocity);
      for (let k = 0; k < 3; k++) out[at++] = velocity[k];
      gravityInBody(state.orientation, out, at);
      at += 3;
      const error = headingError_rad(state.orientation, memory);
      out[at++] = Math.sin(error);
      out[at++] = Math.cos(error);
      for (let j = 0; j < n; j++) out[at++] = memory.action[j];
    },

    reward({ state, moved_m, power_w, slip_m_s, touchdowns }, memory) {
      const c = Math.cos(memory.heading_rad) * spec.rates.policy_hz;
      const s = Math.sin(memory.heading_rad) * spec.rates.policy_hz;
      const forward_m_s = c * moved_m[0] + s * moved_m[1];
      const sideways_m_s = c * moved_m[1] - s * moved_m[0];
      const speed = tolerance(forward_m_s, SPEED_M_S[0], SPEED_M_S[1], SPEED_MARGIN_M_S);
      let change = 0;
      for (let j = 0; j < n; j++) change += (memory.action[j] - memory.previousAction[j]) ** 2;
      return (
        SPEED_REWARD * speed * Math.max(0, uprightness(state.orientation)) -
        COST.heading * Math.min(1, Math.abs(headingError_rad(state.orientation, memory))) -
        COST.yawRate * Math.min(4, Math.abs(state.gyro_rad_s[2])) -
        COST.sideways * Math.min(1, Math.abs(sideways_m_s)) -
        COST.actionChange * change -
        COST.power_per_w * Math.min(MAX_COUNTED_W, power_w) -
        COST.slip_per_m_s * Math.min(2, slip_m_s) -
        COST.touchdown * touchdowns -
        (fallen(state) ? COST.fall : 0)
      );
    },

    terminated: ({ state }) => fallen(state),
  };
}

function fallen(state: RobotState): boolean {
  return uprightness(state.orientation) < Math.cos(MAX_TILT_RAD);
}

function headingError_rad(orientation: Float64Array, memory: EpisodeMemory): number {
  return wrapAngle_rad(yaw_rad(orientation) - memory.heading_rad);
}
