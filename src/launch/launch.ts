import { z } from 'zod';
import { parseUserInput } from '../base/errors.js';
import { findNamed, readYaml } from '../base/files.js';
import { limitsSchema } from '../robot/limits.js';
import { warmUpKinds } from '../tasks/warmUpActions.js';

/**
 * What runs together, as a launch file says it. Limits are the robot's: a launch file can tighten them,
 * and one that would loosen any is refused.
 */

const count = z.int().positive();
const name = z.string().regex(/^[A-Za-z0-9_-]+$/, 'expected letters, digits, "_", "-"');

const driverSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sim'),
    seed: z.int().nonnegative().default(0).describe('of noise and of what the world varies'),
    randomisation: z
      .enum(['none', 'evaluation', 'training'])
      .default('none')
      .describe('friction, payload and pushes'),
    start: z
      .enum(['standing', 'lying'])
      .default('standing')
      .describe('how a robot on legs is found: on its feet, or as if it had fallen'),
  }),
  z.strictObject({
    kind: z.literal('serial'),
    ports: z
      .record(z.string(), z.string().min(1))
      .describe('for each bus of robot.yaml the path of its port'),
  }),
]);

const learnerSchema = z.strictObject({
  enabled: z.boolean().default(true),
  kind: z.enum(['sac', 'dreamer']).default('sac').describe('dreamer learns a model of the world first'),
  preset: z.string().optional().describe('where no training run is gone on with'),
  overrides: z.record(z.string(), z.unknown()).default({}).describe("of the learner's hyperparameters"),
  replay: count.default(200_000).describe('transitions kept, where no training run is gone on with'),
  demos: z
    .string()
    .min(1)
    .optional()
    .describe('LeRobot dataset: half of each batch, with what a person shows while it runs'),
  updates_per_step: z.number().positive().default(8).describe('for each transition, at most'),
  warmup: count.default(500).describe('transitions before the first update'),
  warmup_actions: z
    .enum(warmUpKinds)
    .optional()
    .describe(
      'how a robot that explores moves before the first policy: random gaits, for robots with legs, or each action for itself; where not given, by the untrained policy',
    ),
  evaluate_every: count.default(1000).describe('updates between candidates'),
  gate: z
    .enum(['better', 'none'])
    .default('better')
    .describe(
      'candidates that go to the robots: those that are better than the policy in use, or all of them untried, for robots that learn from nothing and have nothing to lose',
    ),
  evaluation: z
    .strictObject({
      episodes: count.default(5),
      seconds_each: z.number().positive().default(10),
    })
    .prefault({})
    .describe('in simulation, of each candidate and of the policy in use'),
  rollout: z
    .strictObject({
      canary: z.array(name).default([]).describe('robots that try a policy first; none: all at once'),
      trial_s: z.number().positive().default(20).describe('that a new policy is watched on a robot'),
      tolerance: z
        .number()
        .nonnegative()
        .default(0.25)
        .describe('share by which its mean reward may be lower than before'),
      safety_events: z.int().nonnegative().default(0).describe('more than before that are put up with'),
    })
    .prefault({})
    .describe('how a policy comes to the robots, and when they go back'),
  when_lost: z
    .enum(['keep', 'stop'])
    .default('keep')
    .describe('whether the robot keeps its policy or stops when the learner is gone'),
});

const resetSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    tries: count
      .default(4)
      .describe('of getting out of the same trouble that may fail before a person is asked'),
    get_up: z
      .string()
      .min(1)
      .nullable()
      .optional()
      .describe('policy that gets the robot up; the one that comes along where not given, null for none'),
    no_progress_s: z
      .number()
      .nonnegative()
      .default(20)
      .describe('that a robot that can walk may stay where it is under its policy; 0: for ever'),
    after_episode: z
      .enum(['go_on', 'home'])
      .default('go_on')
      .describe('where the next episode begins: where the last one ended, or at home'),
  })
  .describe('how a robot gets out of trouble by itself');

const dashboardSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    host: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
    port: z.int().min(0).max(65535).optional().describe('the first free one from 8765 on where not given'),
    token_file: z
      .string()
      .min(1)
      .optional()
      .describe('holds the word that everybody who connects has to show'),
    tls: z
      .strictObject({ certificate: z.string().min(1), key: z.string().min(1) })
      .optional()
      .describe('PEM files'),
    names: z
      .array(z.string().min(1))
      .default([])
      .describe('further names that this machine is reached under'),
    foxglove_origins: z
      .array(z.string().min(1))
      .default([])
      .describe('web pages other than its own from which a Foxglove viewer may connect'),
  })
  .superRefine(({ host, token_file, tls }, context) => {
    if (['127.0.0.1', '::1', 'localhost'].includes(host)) return;
    const missing = [token_file ? [] : ['token_file'], tls ? [] : ['tls']].flat();
    for (const key of missing)
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `missing: beyond this machine (host ${host}) the dashboard is open to those alone who show a token, over TLS`,
      });
  });

const cameraSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9_]+$/),
    width: z.int().positive().max(640).default(64),
    height: z.int().positive().max(480).default(64),
    rate_hz: z.number().positive().max(60).default(10),
    from_m: z.tuple([z.number(), z.number(), z.number()]).describe('where it stands'),
    at_m: z.tuple([z.number(), z.number(), z.number()]).describe('what it looks at'),
    fov_rad: z.number().positive().max(2.5).default(0.8).describe('vertical angle of view'),
  })
  .describe('a simulated camera, whose pictures are recorded');

export type Camera = z.output<typeof cameraSchema>;

const rosSchema = z.strictObject({
  transport: z
    .enum(['none', 'inproc', 'cyclone', 'rclnodejs'])
    .default('none')
    .describe('how the ROS 2 nodes are reached'),
  namespace: z
    .string()
    .regex(/^\/([A-Za-z_]\w*(\/[A-Za-z_]\w*)*)?$/, 'expected "/" or "/name"')
    .default('/'),
  remap: z.record(z.string(), z.string()).default({}).describe('names of topics and services to others'),
  rate_hz: z.number().min(1).max(1000).default(200).describe('of joint states, IMU and frames'),
  domain: z.int().min(0).max(101).optional().describe('ROS_DOMAIN_ID where not given'),
  interface: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]+$/, 'expected the name of a network interface')
    .default('lo')
    .describe(
      'network interface; DDS knows no credentials, so that others than lo open the robot to their network',
    ),
  reverie_msgs: z
    .boolean()
    .optional()
    .describe('own message types rather than JSON; where not given: whether a sourced workspace has them'),
  use_sim_time: z.boolean().default(false).describe('stamps count from /clock; in simulation alone'),
});

export const launchSchema = z.strictObject({
  robot: z.string().min(1).describe('name, or path of its folder'),
  name: name.optional().describe("of this one robot in the fleet; the robot's own where not given"),
  site: name.default('local'),
  run: name
    .optional()
    .describe('what is learned together: its robots share learners and policy; the task where not given'),
  driver: driverSchema,
  task: z.string().min(1),
  parameters: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('what this robot is asked for: targets of reach, heading of walk'),
  policy: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('bundle, by name or folder; null to wait for one'),
  limits: limitsSchema.prefault({}).describe("tighter than the robot's own"),
  explore: z.number().min(0).max(2).default(0).describe("factor on the policy's own spread; 0: mean action"),
  gate: z
    .strictObject({
      quantile: z
        .union([z.literal(0.9), z.literal(0.99), z.literal(0.999)])
        .default(0.999)
        .describe('share of training steps that surprised less than the limit'),
      response: z.enum(['slow', 'stop']).default('stop'),
    })
    .optional()
    .describe('slows or stops a policy where its own world model is surprised; off where not given'),
  seed: z.int().nonnegative().default(0).describe('of goals and exploration'),
  learner: learnerSchema.prefault({ enabled: false }),
  reset: resetSchema.prefault({}),
  cameras: z.array(cameraSchema).default([]),
  dashboard: dashboardSchema.prefault({}),
  ros: rosSchema.prefault({}),
  realtime: z.strictObject({ fifo: z.boolean().default(true) }).prefault({}),
  runs: z.string().min(1).default('runs').describe('folder in which each run gets a folder of its own'),
});

export type Launch = z.output<typeof launchSchema> & {
  /** The file that it was read from. */
  readonly path: string;
};

/**
 * @param given path, or name of a file in `launch/` of this package
 * @throws UserError naming file, key and what was expected
 */
export function loadLaunch(given: string): Launch {
  const path = findNamed('launch', given, ['{}', '{}.yaml', '../{}']);
  return { ...parseUserInput(launchSchema, readYaml(path), path), path };
}

/** The robot's name in the fleet. @param kind the name in its robot.yaml */
export function robotName({ name }: Launch, kind: string): string {
  return name ?? kind;
}

/** The name of what is learned together. */
export function runName({ run, task }: Launch): string {
  return run ?? task;
}
