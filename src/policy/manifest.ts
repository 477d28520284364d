import { z } from 'zod';
import type { RobotSpec } from '../robot/spec.js';

/**
 * `manifest.json` of a policy bundle: everything that has to match before a robot lets the network
 * move it, and where the network comes from.
 */

/** Version of this format. A reader refuses what it does not know. */
export const MANIFEST_FORMAT = 1;

const count = z.int().nonnegative();
const size = z.int().positive();
const orNull = z.number().nullable();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in 64 hexadecimal digits');

const observationPart = z
  .strictObject({
    name: z.string().min(1),
    size,
    unit: z.string().min(1).describe('"1" where there is none'),
    image: z
      .strictObject({ height: size, width: size, channels: size })
      .optional()
      .describe('of a picture: rows from the top, channels last'),
  })
  .refine(({ size, image }) => !image || image.height * image.width * image.channels === size, {
    path: ['size'],
    message: 'expected height · width · channels of its image',
  });

const action = z
  .strictObject({
    kind: z
      .enum(['residual', 'delta', 'approach'])
      .describe(
        'residual: target = centre + scale · a; delta: target = last target + scale · a; ' +
          'approach: target = last target + share · (centre + scale · a − last target); a in [−1, 1]',
      ),
    centre_rad: z.array(z.number()),
    scale_rad: z.array(z.number().positive()),
    share: z.number().positive().max(1).optional().describe('of the way that approach goes in one step'),
  })
  .refine((a) => (a.kind === 'approach') === (a.share !== undefined), {
    path: ['share'],
    message: 'expected with kind approach, and with it alone',
  })
  .refine((a) => a.centre_rad.length === a.scale_rad.length, {
    path: ['centre_rad'],
    message: 'expected as many values as scale_rad has',
  });

const network = z.strictObject({
  file: z.literal('policy.onnx'),
  sha256,
  input: z.string().min(1),
  outputs: z.strictObject({
    action: z.string().min(1).describe('the best action, in [−1, 1]'),
    mean: z.string().min(1).optional().describe('of the Gaussian before tanh'),
    log_std: z.string().min(1).optional().describe('of the same, clamped'),
    std: z
      .string()
      .min(1)
      .optional()
      .describe(
        'of a Gaussian about the action itself, whose draws are cut at ±1; in place of mean and log_std',
      ),
  }),
  state: z
    .array(z.strictObject({ input: z.string(), output: z.string(), size }))
    .describe('carried from step to step, 0 at the start of an episode; empty: feed-forward'),
  previous_action: z
    .string()
    .min(1)
    .optional()
    .describe('input for the action that was executed in the step before, 0 at the start of an episode'),
  imagination: z
    .strictObject({
      input: z.string().min(1).describe('1 with a new observation, 0 to go on without one'),
      longest_s: z.number().positive().describe('after so long without one the robot stops'),
    })
    .optional()
    .describe('of a policy with a model of the world, which bridges a gap in sensing'),
  surprise: z
    .strictObject({
      outputs: z
        .array(z.strictObject({ output: z.string().min(1), unit: z.string().min(1) }))
        .min(1)
        .describe('single numbers: how little what was seen was expected'),
      quantiles: z
        .array(z.strictObject({ quantile: z.number().gt(0).lt(1), limits: z.array(z.number()) }))
        .describe('what that share of the steps of training stayed below, for each output'),
    })
    .optional()
    .describe('of a policy with a model of the world'),
});

const training = z.strictObject({
  command: z.string().describe('what to type to train it again'),
  parameters: z.record(z.string(), z.unknown()).optional().describe('of the task that it was trained on'),
  seed: z.int(),
  env_steps: count,
  robot_minutes: z.number().nonnegative(),
  wall_minutes: z.number().nonnegative(),
  version: z.string().describe('of Reverie'),
});

/** As `reverie eval` prints it; null where a figure has no meaning for the task. */
export const evaluationSchema = z.strictObject({
  episodes: count,
  seconds_each: z.number().nonnegative(),
  falls: count.nullable(),
  mean_speed_mps: orNull,
  success_rate: orNull,
  mean_return: orNull,
  mean_power_w: orNull,
  foot_slip_mps: orNull,
  touchdowns_per_s: orNull,
  action_rate: orNull.optional().describe('root mean square change of an action from one step to the next'),
  seconds_to_success: orNull.optional().describe('mean, of successful episodes, until it was there first'),
  rolled_over_rate: orNull.optional().describe('of episodes that begin lying: upright at some moment'),
  stood_rate: orNull.optional().describe('likewise: on its feet at some moment'),
  speed_at_end_mps: orNull.optional().describe('forward, as the robot has it: mean over the last 3 s'),
});

export const manifestSchema = z
  .strictObject({
    format: z.literal(MANIFEST_FORMAT),
    name: z.string().regex(/^[a-zA-Z0-9._-]+$/, 'expected letters, digits, ".", "_", "-"'),
    robot: z.string().min(1),
    task: z.string().min(1),
    joints: z.array(z.string().min(1)).min(1).describe('in the order of the action'),
    policy_hz: z.number().positive(),
    observation: z.array(observationPart).min(1).describe('the parts of the input, in order'),
    action,
    network,
    training: training.nullable(),
    evaluation: evaluationSchema.nullable(),
    signature: z
      .strictObject({ algorithm: z.literal('ed25519'), public_key: z.base64(), value: z.base64() })
      .optional()
      .describe('over the manifest without this field, which carries the hash of the network'),
  })
  .refine((m) => m.action.scale_rad.length === m.joints.length, {
    path: ['action', 'scale_rad'],
    message: 'expected one value per joint',
  });

export type Manifest = z.output<typeof manifestSchema>;
export type Evaluation = z.output<typeof evaluationSchema>;

/** Length of the observation vector. */
export function observationSizeOf(manifest: Pick<Manifest, 'observation'>): number {
  return manifest.observation.reduce((sum, part) => sum + part.size, 0);
}

/** What a task asks of a policy; `TaskContract` of src/tasks is one. */
export interface Contract {
  readonly observation: readonly Readonly<Manifest['observation'][number]>[];
  readonly action: {
    readonly kind: Manifest['action']['kind'];
    readonly centre_rad: readonly number[];
    readonly scale_rad: readonly number[];
    readonly share?: number;
  };
}

/** How a network is fed and read, apart from where it lies. */
export type NetworkNames = Omit<Manifest['network'], 'file' | 'sha256'>;

/** What `exportActor` of src/learn/sac writes. */
export const gaussianNames: NetworkNames = {
  input: 'observation',
  outputs: { action: 'action', mean: 'mean', log_std: 'log_std' },
  state: [],
};

/**
 * The part of a manifest that robot, task and kind of network decide.
 * @param network one exported by `src/learn/sac` where not given
 */
export function contractOf(
  spec: RobotSpec,
  task: { readonly name: string; readonly contract: Contract },
  network: NetworkNames = gaussianNames,
) {
  const { observation, action } = task.contract;
  return {
    robot: spec.name,
    task: task.name,
    joints: spec.joints.map((j) => j.name),
    policy_hz: spec.rates.policy_hz,
    observation: [...observation],
    action: { ...action, centre_rad: [...action.centre_rad], scale_rad: [...action.scale_rad] },
    network,
  };
}
