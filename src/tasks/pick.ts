import { UserError } from '../base/errors.js';
import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';
import type { Task } from './task.js';

/** Delivered: upright above its place within this distance to the side and in height. */
export const PLACED_M = 0.03;
const HEIGHT_M = 0.01;
/** The hand has let go once the tool is this far from what it carried. */
const AWAY_M = 0.05;
const STEP_RAD = 0.15;
/** Of joints that do not move the tool: the gripper. */
const GRIPPER_STEP_RAD = 0.4;
/** Twice what a quick hand needs. */
const EPISODE_S = 12;
/**
 * A grasp is decided within millimetres, after a way of decimetres: distances are seen in a second scale too, linear
 * below this and logarithmic above.
 */
const NEAR_M = 0.005;

/**
 * Put the first object of the table that can be moved onto the first that is fixed, and let go of it.
 * The reward is sparse, as in SERL (Luo et al. 2024): 1 for every step at whose end the object stands
 * in its place with the hand away from it, else 0. Nothing on the way is paid for.
 */
export function pick(spec: RobotSpec): Task {
  const n = spec.joints.length;
  const toolSpec = spec.chains.find((c) => c.kind === 'tool');
  const object = spec.objects.findIndex((o) => o.mass_kg !== undefined);
  const place = spec.objects.findIndex((o) => o.mass_kg === undefined);
  if (!toolSpec) throw new UserError(`task pick needs a chain of kind "tool"; ${spec.name} has none`);
  if (object < 0 || place < 0)
    throw new UserError(
      `task pick needs two objects, one with mass_kg and a fixed one; ${spec.name} has ${spec.objects.length} in all`,
    );
  const tool = new Chain(toolSpec, spec);
  const inChain = new Set(tool.joints);
  const middle = spec.joints.map((j) => (j.position_rad[0] + j.position_rad[1]) / 2);
  const half = spec.joints.map((j) => (j.position_rad[1] - j.position_rad[0]) / 2);
  const height = (o: number) => spec.objects[o].size_m.at(-1)!;
  const standsAt_m = height(object) + height(place);

  /** From the object to where it belongs: three numbers, into `out` where given. */
  const toPlace = (state: RobotState, k: number): number =>
    state.object_m[3 * place + k] - state.object_m[3 * object + k] + (k === 2 ? standsAt_m : 0);
  const placed = (state: RobotState): boolean => {
    tool.update(state.position_rad);
    const away = Math.hypot(...[0, 1, 2].map((k) => state.object_m[3 * object + k] - tool.tip_m[k]));
    return (
      Math.hypot(toPlace(state, 0), toPlace(state, 1)) < PLACED_M &&
      Math.abs(toPlace(state, 2)) < HEIGHT_M &&
      away > AWAY_M
    );
  };

  return {
    name: 'pick',
    episodeSteps: EPISODE_S * spec.rates.policy_hz,
    contract: {
      observation: [
        { name: 'joint_position_of_range', size: n, unit: '1' },
        { name: 'joint_velocity', size: n, unit: 'rad/s' },
        { name: 'target_lead', size: n, unit: '0.1 rad' },
        { name: 'tool_to_object', size: 3, unit: '0.1 m' },
        { name: 'object_to_place', size: 3, unit: '0.1 m' },
        { name: 'object', size: 3, unit: '0.1 m' },
        { name: 'tool_to_object_near', size: 3, unit: 'asinh of 5 mm' },
        { name: 'object_to_place_near', size: 3, unit: 'asinh of 5 mm' },
      ],
      action: {
        kind: 'delta',
        centre_rad: spec.joints.map(() => 0),
        scale_rad: spec.joints.map((_, j) => (inChain.has(j) ? STEP_RAD : GRIPPER_STEP_RAD)),
      },
    },

    createMemory: () => ({
      heading_rad: 0,
      goal: new Float64Array(0),
      action: new Float32Array(n),
      previousAction: new Float32Array(n),
    }),

    begin(memory) {
      memory.action.fill(0);
      memory.previousAction.fill(0);
    },

    observe({ state, executed_rad }, _memory, out) {
      let at = 0;
      for (let j = 0; j < n; j++) out[at++] = (state.position_rad[j] - middle[j]) / half[j];
      for (let j = 0; j < n; j++) out[at++] = state.velocity_rad_s[j];
      for (let j = 0; j < n; j++) out[at++] = 10 * (executed_rad[j] - state.position_rad[j]);
      tool.update(state.position_rad);
      for (let k = 0; k < 3; k++) out[at++] = 10 * (state.object_m[3 * object + k] - tool.tip_m[k]);
      for (let k = 0; k < 3; k++) out[at++] = 10 * toPlace(state, k);
      for (let k = 0; k < 3; k++) out[at++] = 10 * state.object_m[3 * object + k];
      for (let k = 0; k < 3; k++)
        out[at++] = Math.asinh((state.object_m[3 * object + k] - tool.tip_m[k]) / NEAR_M);
      for (let k = 0; k < 3; k++) out[at++] = Math.asinh(toPlace(state, k) / NEAR_M);
    },

    reward: ({ state }) => (placed(state) ? 1 : 0),

    terminated: () => false,

    succeeded: ({ state }) => placed(state),
  };
}
