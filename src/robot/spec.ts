import { z } from 'zod';
import { busFaults, busSchema, hasDrives } from './busSpec.js';
import { cameraSchema } from './cameraSpec.js';

/**
 * What `robot.yaml` says of a robot: everything that the control loop, the safety kernel, the
 * simulator and a policy need to know of it. Units are in the names.
 */

const positive = z.number().positive();
/** A limit that a safety function cannot do without: there is no robot without it. */
const limit = (needer: string) =>
  z
    .number({ error: (issue) => (issue.input === undefined ? `missing; ${needer} needs it` : undefined) })
    .positive();
const vector3 = z.tuple([z.number(), z.number(), z.number()]);
const range = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, 'expected [low, high] with low < high');

const jointSchema = z
  .strictObject({
    name: z.string().min(1),
    position_rad: range.describe('mechanical range; targets stay inside it'),
    velocity_rad_s: limit('the speed limit'),
    acceleration_rad_s2: limit('room to brake').describe(
      'of the target; also the deceleration that braking may count on',
    ),
    jerk_rad_s3: limit('the low-pass on targets').describe('of the target'),
    torque_nm: limit('the torque limit').describe('the most that the kernel lets the drive ask for'),
    no_load_speed_rad_s: positive.describe('where the motor has no torque left; the simulator uses it'),
    kp_nm_rad: positive,
    kd_nm_s_rad: z.number().nonnegative(),
    home_rad: z.number().describe('standing or rest pose; actions are residuals around it'),
    action_rad: positive.describe('residual of an action of 1'),
    temperature_max_c: limit('derating by temperature'),
  })
  .refine((j) => j.home_rad >= j.position_rad[0] && j.home_rad <= j.position_rad[1], {
    path: ['home_rad'],
    message: 'home lies outside position_rad',
  })
  .refine(
    (j) => j.home_rad - j.action_rad >= j.position_rad[0] && j.home_rad + j.action_rad <= j.position_rad[1],
    {
      path: ['action_rad'],
      message: 'home_rad ± action_rad reaches beyond position_rad',
    },
  );

const chainSchema = z
  .strictObject({
    name: z.string().describe('the site of the same name in the model'),
    kind: z.enum(['foot', 'tool']),
    links: z
      .array(z.strictObject({ joint: z.string(), offset_m: vector3, axis: vector3 }))
      .min(1)
      .describe('from the base outwards: offset to the joint in the parent frame, axis in the joint frame'),
    tip_m: vector3,
    tip_radius_m: z.number().nonnegative().default(0).describe('of a ball foot'),
  })
  .describe('a leg or an arm as a serial chain; frames are parallel at position zero');

const objectSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9_-]+$/),
    shape: z.enum(['box', 'cylinder']),
    size_m: z
      .array(positive)
      .describe('half lengths of a box; radius and half length of an upright cylinder'),
    mass_kg: positive.optional().describe('of what can be moved; what has none is fixed to the table'),
    x_m: z.tuple([z.number(), z.number()]).describe('where it stands at the start, drawn from [low, high]'),
    y_m: z.tuple([z.number(), z.number()]),
  })
  .refine(({ shape, size_m }) => size_m.length === (shape === 'box' ? 3 : 2), {
    path: ['size_m'],
    message: 'expected three half lengths for a box, radius and half length for a cylinder',
  })
  .describe('a thing on the table, whose position something that sees reports');

const poseSchema = z.strictObject({
  pose_rad: z.array(z.number()).describe('in joint order'),
  seconds: positive.describe('that the way to it takes'),
  hold_s: z.number().nonnegative().default(0).describe('that it is held for'),
});

export type ObjectSpec = z.output<typeof objectSchema>;

export const robotSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9_-]+$/),
    description: z.string(),
    model: z.string().describe('MJCF or URDF beside this file'),
    base: z.enum(['floating', 'fixed']),
    rates: z.strictObject({
      control_hz: positive,
      policy_hz: positive,
      ramp: z
        .number()
        .gt(0)
        .max(1)
        .default(1)
        .describe('share of a policy period in which a target is led to'),
    }),
    joints: z.array(jointSchema).min(1),
    bus: z.array(busSchema).optional(),
    chains: z.array(chainSchema).default([]),
    objects: z.array(objectSchema).default([]).describe('things on the table that tasks are about'),
    camera: cameraSchema.optional().describe('whose picture is the last part of every observation'),
    symmetry: z
      .array(
        z.strictObject({ right: z.string(), left: z.string(), sign: z.union([z.literal(1), z.literal(-1)]) }),
      )
      .optional()
      .describe('pairs of joints that are each other in a mirror, and the sign that one takes over'),
    imu: z
      .strictObject({
        gyro_max_rad_s: positive,
        accel_max_m_s2: positive,
      })
      .optional(),
    fall: z
      .strictObject({ tilt_rad: positive.describe('angle of the body z axis from vertical') })
      .optional(),
    watchdog: z.strictObject({
      sensor_age_s: positive.describe('older samples count as stale: the drives hold their last target'),
      sensor_lost_s: positive.describe('older still: the robot brakes, and waits for its operator'),
      command_age_s: positive.describe('a policy silent for longer is stopped'),
      frozen_s: positive
        .default(0.25)
        .describe('readings that stay the same for longer while the robot moves are not believed'),
    }),
    power_w: limit('the power limit').describe('mechanical, of all joints together'),
    derating: z
      .strictObject({
        continuous_share: positive.max(1).default(0.6).describe('of torque_nm, bearable for ever'),
        load_s: positive.default(20).describe('thermal time constant of a winding'),
      })
      .prefault({}),
    supply: z
      .strictObject({ low_v: positive, min_v: positive })
      .refine((s) => s.min_v < s.low_v, 'expected min_v below low_v')
      .optional()
      .describe('below low_v torque is derated, below min_v the robot stops'),
    contact: z
      .strictObject({
        seconds: positive.default(0.5).describe('that a joint may push with all it has without moving'),
        torque_share: positive.max(1).default(0.5).describe('that is left to it then'),
      })
      .prefault({}),
    workspace: z
      .strictObject({ low_m: vector3, high_m: vector3 })
      .refine(
        (box) => box.low_m.every((low, k) => low < box.high_m[k]),
        'expected each low_m below its high_m',
      )
      .optional()
      .describe('box that the tool stays in, in the frame of the base'),
    self_collision: z
      .strictObject({
        radius_m: positive.describe(
          'of the capsules around the last two links of a chain, and around the base of an arm',
        ),
      })
      .optional(),
    geofence: z
      .strictObject({ side_m: positive.describe('of a square about the place where the robot was started') })
      .optional(),
    person: z
      .strictObject({
        deadman_s: positive.max(1).default(0.25).describe('silent for longer: the robot holds'),
        tool_m_s: positive.max(0.25).default(0.25).describe('of the tool; ISO 10218-1 allows 0.25'),
        joint_share: positive.max(0.5).default(0.25).describe("of each joint's velocity_rad_s"),
      })
      .prefault({})
      .describe('limits while a person commands'),
    handover_s: positive
      .default(0.5)
      .describe("in which speed limits rise from a person's to the robot's after a change of authority"),
    stop: z.strictObject({
      stand_s: positive.optional().describe('time to come to the home pose first; for what walks'),
      pose_rad: z.array(z.number()).describe('where a gravity-aware stop brings the joints, in joint order'),
      seconds: positive.describe('time that the motion to that pose takes'),
      afterwards: z.enum(['hold', 'damp']).describe('what follows once there'),
      emergency: z
        .enum(['damp', 'pose'])
        .describe('an emergency stop brakes where it is, or goes to the pose first'),
    }),
    get_up: z
      .strictObject({
        fold: poseSchema.describe('legs folded under the body'),
        roll: z
          .array(poseSchema)
          .min(1)
          .describe('from the back or the right side onto the belly; needs symmetry, for the left side'),
        stand_s: positive.default(1).describe('from folded to the home pose'),
      })
      .optional()
      .describe('how it gets up by script, after a fall'),
    gripper: z
      .strictObject({ joint: z.string(), open_rad: z.number() })
      .optional()
      .describe('opened before an arm goes home by itself'),
    simulation: z
      .strictObject({
        position_noise_rad: z.number().nonnegative(),
        velocity_noise_rad_s: z.number().nonnegative(),
        gyro_noise_rad_s: z.number().nonnegative(),
        accel_noise_m_s2: z.number().nonnegative(),
        orientation_noise_rad: z.number().nonnegative(),
        sensor_latency_s: z.number().nonnegative(),
        command_latency_s: z.number().nonnegative(),
      })
      .describe('what the simulated hardware adds to perfection'),
  })
  .superRefine((robot, context) => {
    const issue = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const names = robot.joints.map((j) => j.name);
    names.forEach((name, i) => {
      if (names.indexOf(name) !== i) issue(['joints', i, 'name'], `joint "${name}" is there twice`);
    });
    robot.chains.forEach((chain, c) => {
      chain.links.forEach((link, l) => {
        if (!names.includes(link.joint))
          issue(
            ['chains', c, 'links', l, 'joint'],
            `no joint "${link.joint}"; joints are ${names.join(', ')}`,
          );
      });
    });
    for (const { path, message } of busFaults(robot.bus ?? [], robot.bus ? names : []))
      issue(['bus', ...path], message);
    if (robot.bus && robot.base === 'floating' && robot.bus.every(hasDrives))
      issue(['bus'], 'a floating base needs its IMU on one of the buses');
    if (robot.symmetry) {
      const paired = robot.symmetry.flatMap(({ right, left }) => [right, left]);
      for (const name of new Set([...names, ...paired]))
        if (!names.includes(name) || paired.filter((p) => p === name).length !== 1)
          issue(['symmetry'], `each joint belongs to one pair; look at "${name}"`);
    }
    if (robot.stop.pose_rad.length !== names.length)
      issue(['stop', 'pose_rad'], `${robot.stop.pose_rad.length} values for ${names.length} joints`);
    const poses = robot.get_up ? [robot.get_up.fold, ...robot.get_up.roll] : [];
    poses.forEach(({ pose_rad }, p) => {
      const path = p === 0 ? ['get_up', 'fold', 'pose_rad'] : ['get_up', 'roll', p - 1, 'pose_rad'];
      if (pose_rad.length !== names.length)
        issue(path, `${pose_rad.length} values for ${names.length} joints`);
      const out = pose_rad.findIndex((q, j) => {
        const [low, high] = robot.joints[j]?.position_rad ?? [q, q];
        return q < low || q > high;
      });
      if (out >= 0) issue(path, `${names[out]} at ${pose_rad[out]} lies outside its position_rad`);
    });
    if (robot.get_up && !robot.symmetry) issue(['get_up'], 'needs symmetry: which joints are left and right');
    if (robot.gripper && !names.includes(robot.gripper.joint))
      issue(['gripper', 'joint'], `no joint "${robot.gripper.joint}"; joints are ${names.join(', ')}`);
    if (robot.rates.control_hz % robot.rates.policy_hz !== 0)
      issue(['rates', 'policy_hz'], `does not divide control_hz (${robot.rates.control_hz})`);
    const { rate_hz } = robot.camera ?? {};
    if (rate_hz && robot.rates.control_hz % rate_hz !== 0)
      issue(['camera', 'rate_hz'], `${rate_hz} does not divide control_hz (${robot.rates.control_hz})`);
    if (robot.chains.some((c) => c.kind === 'tool') && !robot.workspace)
      issue(['workspace'], 'missing; the workspace limit needs it for a robot with a tool');
    if (robot.chains.filter((c) => c.kind === 'foot').length > 1 && !robot.self_collision)
      issue(['self_collision'], 'missing; the self-collision limit needs it for a robot with legs');
    if (robot.base === 'floating' && !robot.imu) issue(['imu'], 'a floating base needs an IMU');
    if (robot.base === 'floating' && !robot.fall) issue(['fall'], 'a floating base needs fall detection');
  });

export type RobotSpec = z.output<typeof robotSchema>;
export type JointSpec = RobotSpec['joints'][number];
export type ChainSpec = RobotSpec['chains'][number];

/** Control ticks in one policy period. */
export function ticksPerAction(spec: RobotSpec): number {
  return spec.rates.control_hz / spec.rates.policy_hz;
}

/** The chains that end in a foot, in the file's order; `RobotState.footForce_n` follows it. */
export function feetOf(spec: RobotSpec): ChainSpec[] {
  return spec.chains.filter((c) => c.kind === 'foot');
}
