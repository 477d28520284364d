import { z } from 'zod';
import { parseUserInput, UserError } from '../../base/errors.js';

const positive = z.number().positive();
const layers = z.array(z.int().positive()).min(1);
const fraction = z.number().min(0).max(1);

/** Every size and hyperparameter of the SAC family, with plain SAC's values as defaults. */
export const sacSchema = z.strictObject({
  batch: z.int().positive().default(256),
  critic_hidden: layers.default([256, 256]),
  actor_hidden: layers.default([256, 256]),
  activation: z.enum(['relu', 'tanh', 'silu', 'elu']).default('relu'),
  critic_norm: z
    .enum(['none', 'layer', 'batch'])
    .default('none')
    .describe('batch: as in CrossQ, with both batches in one pass and no target networks'),
  dropout: z.number().min(0).lt(1).default(0).describe('of hidden units in the critics'),
  gamma: fraction.default(0.99).describe('discount per step'),
  n_step: z.int().positive().default(1).describe('steps of reward summed before the critic is asked'),
  tau: fraction.default(0.005).describe('rate at which the target critics follow'),
  actor_lr: positive.default(3e-4),
  critic_lr: positive.default(3e-4),
  temperature_lr: positive.default(3e-4),
  adam_beta1: z.number().min(0).lt(1).default(0.9),
  initial_temperature: positive.default(1),
  target_entropy_per_action: z.number().default(-1).describe('nats for each dimension of the action'),
  log_std: z.tuple([z.number(), z.number()]).default([-5, 2]).describe('bounds'),
  critic_updates: positive.default(1).describe('for each environment step'),
  bc_weight: z
    .number()
    .min(0)
    .default(0)
    .describe('of the squared distance to demonstrated actions in the loss of the actor'),
  actor_average: fraction
    .default(0)
    .describe('rate at which the policy that acts follows the actor that learns; 0: it is that actor'),
  bc_successes: z
    .boolean()
    .default(false)
    .describe(
      'whether what the robot itself did in episodes that ended with a reward counts as demonstrated',
    ),
  actor_every: z.int().positive().default(1).describe('critic updates for each update of the actor'),
});

export type SacConfig = z.output<typeof sacSchema>;

/**
 * - sac: Haarnoja et al., "Soft Actor-Critic Algorithms and Applications", 2018; CleanRL's sizes and rates, α₀ = 1
 * - layernorm: LayerNorm in the critics, the actor at every update: the fastest to walk in wall time
 * - droq: Hiraoka et al., "Dropout Q-Functions", 2022, as in "A Walk in the Park" (Smith et al., 2022)
 * - crossq: Bhatt et al., "CrossQ", 2024, with plain batch normalisation, in the critics alone so that the actor stays
 *   a plain network; the paper's critics are 2048 wide, which a processor does not carry in real time
 */
export const sacPresets = {
  sac: {},
  layernorm: { critic_norm: 'layer', initial_temperature: 0.1, target_entropy_per_action: -0.5 },
  droq: {
    critic_norm: 'layer',
    dropout: 0.01,
    initial_temperature: 0.1,
    target_entropy_per_action: -0.5,
    critic_updates: 20,
    actor_every: 20,
  },
  crossq: {
    critic_norm: 'batch',
    actor_lr: 1e-3,
    critic_lr: 1e-3,
    temperature_lr: 1e-3,
    adam_beta1: 0.5,
    actor_every: 3,
  },
} satisfies Record<string, z.input<typeof sacSchema>>;

export type SacPreset = keyof typeof sacPresets;

/**
 * A preset with some values replaced.
 * @param where the overrides came from, for errors
 * @throws UserError for an unknown preset or key, or a value out of range
 */
export function sacConfig(preset: string, overrides: unknown = {}, where = 'sac'): SacConfig {
  if (!Object.hasOwn(sacPresets, preset)) {
    throw new UserError(
      `${where}: no SAC preset "${preset}"; there are ${Object.keys(sacPresets).join(', ')}`,
    );
  }
  const given = parseUserInput(sacSchema.partial(), overrides, where);
  const asked = Object.fromEntries(
    Object.keys(overrides as object).map((k) => [k, given[k as keyof SacConfig]]),
  );
  return sacSchema.parse({ ...sacPresets[preset as SacPreset], ...asked });
}
