import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import type { RobotSpec } from './spec.js';

const lower = z.number().positive();
const jointLimits = z.strictObject({
  position_rad: z.tuple([z.number(), z.number()]).optional(),
  velocity_rad_s: lower.optional(),
  acceleration_rad_s2: lower.optional(),
  jerk_rad_s3: lower.optional(),
  torque_nm: lower.optional(),
  temperature_max_c: lower.optional(),
});

/** Limits that somebody other than robot.yaml sets: each at most as wide as the robot's own. */
export const limitsSchema = z.strictObject({
  joints: z
    .record(z.string(), jointLimits)
    .default({})
    .describe('by name; "all" for every joint that has no entry of its own'),
  power_w: lower.optional(),
  workspace: z
    .strictObject({
      low_m: z.tuple([z.number(), z.number(), z.number()]),
      high_m: z.tuple([z.number(), z.number(), z.number()]),
    })
    .optional(),
  geofence: z.strictObject({ side_m: lower }).optional(),
  person: z.strictObject({ deadman_s: lower, tool_m_s: lower, joint_share: lower }).partial().optional(),
});
export type Limits = z.output<typeof limitsSchema>;

/**
 * A robot with tighter limits. Nothing can be loosened: not by a launch file, not by a task, not by a
 * policy.
 * @param where the file that sets them, for messages
 * @throws UserError naming file, limit, what was asked and what the robot allows
 */
export function tighten(spec: RobotSpec, given: unknown, where: string): RobotSpec {
  const limits = parseUserInput(limitsSchema, given, where);
  const faults: string[] = [];
  const atMost = (name: string, asked: number | undefined, own: number): number => {
    if (asked === undefined) return own;
    if (asked > own) faults.push(`${name}: ${asked} is looser than the ${own} of ${spec.name}`);
    return asked;
  };
  const inside = (
    name: string,
    asked: readonly [number, number] | undefined,
    own: readonly [number, number],
  ) => {
    if (asked === undefined) return [own[0], own[1]] as [number, number];
    if (asked[0] < own[0] || asked[1] > own[1] || asked[0] >= asked[1])
      faults.push(`${name}: [${asked}] is not inside the [${own}] of ${spec.name}`);
    return [asked[0], asked[1]] as [number, number];
  };
  for (const name of Object.keys(limits.joints))
    if (name !== 'all' && !spec.joints.some((j) => j.name === name))
      faults.push(`joints: no joint "${name}"`);
  const joints = spec.joints.map((joint) => {
    const asked = limits.joints[joint.name] ?? limits.joints.all ?? {};
    const of = (field: string) => `${joint.name}.${field}`;
    const bounded = (
      field: 'velocity_rad_s' | 'acceleration_rad_s2' | 'jerk_rad_s3' | 'torque_nm' | 'temperature_max_c',
    ) => atMost(of(field), asked[field], joint[field]);
    const position_rad = inside(of('position_rad'), asked.position_rad, joint.position_rad);
    if (joint.home_rad < position_rad[0] || joint.home_rad > position_rad[1])
      faults.push(`${of('position_rad')}: home (${joint.home_rad}) lies outside`);
    return {
      ...joint,
      position_rad,
      velocity_rad_s: bounded('velocity_rad_s'),
      acceleration_rad_s2: bounded('acceleration_rad_s2'),
      jerk_rad_s3: bounded('jerk_rad_s3'),
      torque_nm: bounded('torque_nm'),
      temperature_max_c: bounded('temperature_max_c'),
    };
  });
  const { person } = spec;
  const tighter: RobotSpec = {
    ...spec,
    joints,
    power_w: atMost('power_w', limits.power_w, spec.power_w),
    workspace: boxInside(spec, limits, inside),
    geofence: limits.geofence
      ? {
          side_m: atMost(
            'geofence.side_m',
            limits.geofence.side_m,
            spec.geofence?.side_m ?? Number.POSITIVE_INFINITY,
          ),
        }
      : spec.geofence,
    person: {
      deadman_s: atMost('person.deadman_s', limits.person?.deadman_s, person.deadman_s),
      tool_m_s: atMost('person.tool_m_s', limits.person?.tool_m_s, person.tool_m_s),
      joint_share: atMost('person.joint_share', limits.person?.joint_share, person.joint_share),
    },
  };
  if (faults.length > 0)
    throw new UserError(`${where}: limits can only be tightened:\n${faults.map((f) => `  ${f}`).join('\n')}`);
  return tighter;
}

function boxInside(
  spec: RobotSpec,
  { workspace }: Limits,
  inside: (name: string, asked: [number, number], own: [number, number]) => [number, number],
): RobotSpec['workspace'] {
  if (!workspace) return spec.workspace;
  const own = spec.workspace ?? {
    low_m: [-Infinity, -Infinity, -Infinity],
    high_m: [Infinity, Infinity, Infinity],
  };
  for (const k of [0, 1, 2])
    inside(`workspace.${'xyz'[k]}`, [workspace.low_m[k], workspace.high_m[k]], [own.low_m[k], own.high_m[k]]);
  return workspace;
}
