import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';
import type { Task, TaskParameters } from './task.js';

/** Close enough: the tool within this distance of the target. */
export const REACHED_M = 0.02;
/** Targets lie above the table, which is the plane of the base, and in front of the arm, as its work does. */
const LOWEST_TARGET_M = 0.05;
const NEAREST_TARGET_M = 0.1;
/** Targets are drawn from this share of each joint's range, about its middle. */
const RANGE_SHARE = 0.7;
const STEP_RAD = 0.12;
const EPISODE_S = 4;
/** Width of the slope that leads to a target from further away. */
const NEAR_M = 0.06;
const COST = { actionChange: 0.01, action: 0.005 } as const;

/** Of a box of targets, found before the first episode: a control tick has no time to look for them. */
const PLACES_IN_BOX = 256;
const MOST_DRAWS = 200_000;

const point_m = z.tuple([z.number(), z.number(), z.number()]);
const parametersSchema = z.strictObject({
  targets: z
    .strictObject({ from_m: point_m, to_m: point_m })
    .refine(
      ({ from_m, to_m }) => from_m.every((low, k) => low < to_m[k]),
      'expected from_m below to_m in x, y and z',
    )
    .optional()
    .describe("box in the frame of the robot's base that targets are drawn from"),
});

/**
 * Bring the tool to a target and keep it there. Targets are drawn as the tool's position at random
 * joint angles, so every one can be reached. Actions move the last target by at most STEP_RAD a
 * step. Reward: minus the distance, plus a bonus that grows near the target, as in the reaching
 * tasks of the control suite and of SERL.
 */
export function reach(spec: RobotSpec, given: TaskParameters = {}, where = 'task parameters'): Task {
  const { targets } = parseUserInput(parametersSchema, given, where);
  const n = spec.joints.length;
  const toolSpec = spec.chains.find((c) => c.kind === 'tool');
  if (!toolSpec) throw new UserError(`task reach needs a chain of kind "tool"; ${spec.name} has none`);
  const tool = new Chain(toolSpec, spec);
  const middle = spec.joints.map((j) => (j.position_rad[0] + j.position_rad[1]) / 2);
  const half = spec.joints.map((j) => (j.position_rad[1] - j.position_rad[0]) / 2);
  const drawn = new Float64Array(n);
  const distance_m = (q: ArrayLike<number>, goal: Float64Array): number => {
    tool.update(q);
    return Math.hypot(goal[0] - tool.tip_m[0], goal[1] - tool.tip_m[1], goal[2] - tool.tip_m[2]);
  };
  const draw = (random: Random): Float64Array => {
    do {
      for (let j = 0; j < n; j++) drawn[j] = middle[j] + RANGE_SHARE * half[j] * random.uniform(-1, 1);
      tool.update(drawn);
    } while (tool.tip_m[2] < LOWEST_TARGET_M || tool.tip_m[0] < NEAREST_TARGET_M);
    return tool.tip_m;
  };
  const places = targets && placesIn(targets, draw, where);

  return {
    name: 'reach',
    episodeSteps: EPISODE_S * spec.rates.policy_hz,
    contract: {
      observation: [
        { name: 'joint_position_of_range', size: n, unit: '1' },
        { name: 'joint_velocity', size: n, unit: 'rad/s' },
        { name: 'tool_to_target', size: 3, unit: '0.1 m' },
        { name: 'target', size: 3, unit: '0.1 m' },
        { name: 'target_lead', size: n, unit: '0.1 rad' },
      ],
      action: {
        kind: 'delta',
        centre_rad: spec.joints.map(() => 0),
        scale_rad: spec.joints.map(() => STEP_RAD),
      },
    },

    createMemory: () => ({
      heading_rad: 0,
      goal: new Float64Array(3),
      action: new Float32Array(n),
      previousAction: new Float32Array(n),
    }),

    begin(memory, _moment, random) {
      memory.goal.set(places ? places[random.integer(places.length)] : draw(random));
      memory.action.fill(0);
      memory.previousAction.fill(0);
    },

    observe({ state, executed_rad }, { goal }, out) {
      let at = 0;
      for (let j = 0; j < n; j++) out[at++] = (state.position_rad[j] - middle[j]) / half[j];
      for (let j = 0; j < n; j++) out[at++] = state.velocity_rad_s[j];
      tool.update(state.position_rad);
      for (let k = 0; k < 3; k++) out[at++] = 10 * (goal[k] - tool.tip_m[k]);
      for (let k = 0; k < 3; k++) out[at++] = 10 * goal[k];
      for (let j = 0; j < n; j++) out[at++] = 10 * (executed_rad[j] - state.position_rad[j]);
    },

    reward({ state }, { goal, action, previousAction }) {
      const d = distance_m(state.position_rad, goal);
      let change = 0;
      let effort = 0;
      for (let j = 0; j < n; j++) {
        change += (action[j] - previousAction[j]) ** 2;
        effort += action[j] ** 2;
      }
      return (
        -2 * d +
        0.5 * Math.exp(-((d / NEAR_M) ** 2)) +
        Math.exp(-((d / REACHED_M) ** 2)) -
        COST.actionChange * change -
        COST.action * effort
      );
    },

    terminated: () => false,

    succeeded: ({ state }, { goal }) => distance_m(state.position_rad, goal) < REACHED_M,
  };
}

/** Places of a box that the tool can be brought to, the same for the same box. @throws UserError where there is none */
function placesIn(
  { from_m, to_m }: { readonly from_m: readonly number[]; readonly to_m: readonly number[] },
  draw: (random: Random) => Float64Array,
  where: string,
): Float64Array[] {
  const random = Random.stream(0, 'reach', 'targets');
  const places: Float64Array[] = [];
  for (let i = 0; i < MOST_DRAWS && places.length < PLACES_IN_BOX; i++) {
    const place = draw(random);
    if (place.every((x, k) => x >= from_m[k] && x <= to_m[k])) places.push(Float64Array.from(place));
  }
  if (places.length > 0) return places;
  throw new UserError(
    `${where}: targets: the tool reaches no place from [${from_m.join(', ')}] to [${to_m.join(', ')}] m`,
  );
}
