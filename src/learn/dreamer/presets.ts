import { z } from 'zod';
import { parseUserInput, UserError } from '../../base/errors.js';

const count = z.int().positive();
const positive = z.number().positive();
const fraction = z.number().min(0).max(1);

/**
 * Every size and hyperparameter of the Dreamer family; the defaults are DreamerV3's (Hafner et al., "Mastering
 * Diverse Domains through World Models", 2023; table of hyperparameters).
 */
export const dreamerSchema = z.strictObject({
  batch: count.default(16).describe('sequences'),
  length: count.min(2).default(64).describe('steps of a sequence'),
  horizon: count.default(15).describe('imagined steps'),
  imagine_every: count.default(1).describe('imagination starts from every nth step of the sequences'),

  deter: count.default(512).describe('deterministic state'),
  hidden: count.default(64).describe('units inside the state-space model'),
  blocks: count.default(8).describe('of the block-recurrent cell; divides deter'),
  latent: z.enum(['categorical', 'gaussian']).default('categorical').describe('gaussian: as in v1'),
  stoch: count.default(32).describe('categorical variables, or Gaussian ones'),
  classes: count.default(4).describe('of each categorical variable'),
  units: count.default(64).describe('of encoder, decoder and heads'),
  layers: count.default(3).describe('of encoder, decoder, actor and critic'),
  patches: count.default(32).describe('channels of the first layer for images; doubled at each further one'),
  bins: count.default(255).describe('of the two-hot heads; odd'),

  unimix: fraction.default(0.01).describe('share of the uniform distribution in every categorical'),
  free_nats: z.number().min(0).default(1),
  dynamics_scale: positive.default(1),
  representation_scale: positive.default(0.1),
  kl_balance: fraction
    .optional()
    .describe('v2: one KL, this share of it for the prior; replaces both scales and the free nats'),
  reconstruction_scale: positive.default(1),
  replay_value_scale: z.number().min(0).default(0.3),

  actor_gradient: z
    .enum(['reinforce', 'dynamics'])
    .default('reinforce')
    .describe('dynamics: through the imagined steps, as v1'),
  discount_horizon: positive.default(333).describe('steps; γ = 1 − 1 / this'),
  lambda: fraction.default(0.95),
  entropy: z.number().min(0).default(3e-4),
  return_rate: fraction.default(0.01).describe('at which the range of returns follows'),
  slow_rate: fraction.default(0.02).describe('at which the slow critic follows'),
  slow_scale: z.number().min(0).default(1).describe('of the pull towards the slow critic'),
  bc_weight: z
    .number()
    .min(0)
    .default(0)
    .describe('of the squared distance to demonstrated actions in the loss of the actor'),
  std: z.tuple([positive, positive]).default([0.1, 1]).describe('bounds of the actor’s deviations'),

  policy_average: fraction
    .default(0)
    .describe('rate at which the policy that acts follows the one that learns; 0: it is that one'),
  learning_rate: positive.default(4e-5),
  warmup: z.int().min(0).default(1000).describe('updates until the learning rate is reached'),
  clip: positive.default(0.3).describe('adaptive gradient clipping: gradient over weight, by norm'),
});

export type DreamerConfig = z.output<typeof dreamerSchema>;

const size = (deter: number, hidden: number, classes: number, units: number) => ({
  deter,
  hidden,
  classes,
  units,
});

/** Sizes by name; 1M to 200M are DreamerV3's table. `micro` fits a robot’s laptop and learns at a higher rate. */
export const dreamerSizes = {
  micro: {
    ...size(128, 64, 8, 64),
    stoch: 16,
    batch: 16,
    length: 32,
    imagine_every: 4,
    layers: 2,
    bins: 127,
    learning_rate: 3e-4,
    warmup: 200,
    patches: 8,
  },
  '1M': { ...size(512, 64, 4, 64), patches: 4 },
  '12M': { ...size(2048, 256, 16, 256), patches: 16 },
  '25M': { ...size(3072, 384, 24, 384), patches: 24 },
  '50M': { ...size(4096, 512, 32, 512), patches: 32 },
  '100M': { ...size(6144, 768, 48, 768), patches: 48 },
  '200M': { ...size(8192, 1024, 64, 1024), patches: 64 },
} satisfies Record<string, Partial<DreamerConfig>>;

/**
 * What distinguishes the earlier members of the family, on v3's network and optimiser:
 * - v1 (Hafner et al., "Dream to Control", 2020): Gaussian latents, value gradients through imagination
 * - v2 (Hafner et al., "Mastering Atari with Discrete World Models", 2021): categorical latents, KL balancing 0.8
 */
export const dreamerVersions = {
  v3: {},
  v2: { kl_balance: 0.8, unimix: 0, entropy: 1e-3 },
  v1: { latent: 'gaussian', actor_gradient: 'dynamics', free_nats: 3, entropy: 0, representation_scale: 1 },
} satisfies Record<string, Partial<DreamerConfig>>;

export type DreamerSize = keyof typeof dreamerSizes;
export type DreamerVersion = keyof typeof dreamerVersions;

/**
 * @param preset a size, or a size and a version as in `micro-v1`
 * @throws UserError for an unknown preset or hyperparameters that do not fit together
 */
export function dreamerConfig(preset: string, overrides: unknown = {}, where = 'dreamer'): DreamerConfig {
  const [sizeName, version = 'v3'] = preset.split('-');
  if (!(sizeName in dreamerSizes) || !(version in dreamerVersions)) {
    throw new UserError(
      `no Dreamer preset "${preset}"; sizes are ${Object.keys(dreamerSizes).join(', ')}, ` +
        `with -${Object.keys(dreamerVersions).join(' or -')} for an earlier version`,
    );
  }
  const given = parseUserInput(dreamerSchema.partial(), overrides, where);
  const asked = Object.keys(overrides as object).map((k) => [k, given[k as keyof DreamerConfig]]);
  const config = dreamerSchema.parse({
    ...dreamerSizes[sizeName as DreamerSize],
    ...dreamerVersions[version as DreamerVersion],
    ...Object.fromEntries(asked),
  });
  if (config.deter % config.blocks !== 0)
    throw new UserError(
      `${where}: deter ${config.deter} is not divisible into ${config.blocks} blocks; expected a multiple`,
    );
  if (config.bins % 2 === 0) throw new UserError(`${where}: bins is ${config.bins}, expected an odd number`);
  return config;
}
