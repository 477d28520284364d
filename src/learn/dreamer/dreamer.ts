import { add, concat, type Graph, mean, mul, reshape, slice, sub, type Tensor } from '../../tensor/index.js';
import { laprop } from '../nn/index.js';
import { behaviourLoss, replayValueLoss } from './behaviour.js';
import { imitationLoss } from './imitation.js';
import { DreamerNetworks, observedBy, type WorldContract } from './networks.js';
import { openLoop } from './openLoop.js';
import type { DreamerConfig } from './presets.js';
import { at, observe, rows, type SequenceTensors, worldModelLoss } from './worldModel.js';

/** What the output `metrics` holds, in order. */
export const dreamerMetrics = [
  'reconstruction_loss',
  'reward_loss',
  'continue_loss',
  'kl_nats',
  'actor_loss',
  'critic_loss',
  'replay_value_loss',
  'entropy',
  'value_mean',
] as const;

/**
 * One update of Dreamer as one static graph: T steps along B recorded sequences, H imagined ones, the gradient of
 * all losses together and the optimiser's step.
 *
 * Step `update` hands out `metrics`, the dreams' `returns` [H, N], and the states along the sequences, `h` and `z`
 * [T, B, ..], to be kept with the replay. Its input `scale` is max(1, range of returns), which follows from the
 * returns of earlier updates: the 5th and 95th percentile need a sort, and the range changes by a hundredth of an
 * update's anyway.
 *
 * Step `follow` hands out `h` and `z` alone, and changes nothing.
 *
 * Step `predict` changes nothing: it sees the first half of each sequence and predicts `observation` and `reward` of
 * the rest, [T − C, B, ..].
 */
export function dreamerGraph(
  g: Graph,
  contract: WorldContract,
  config: DreamerConfig,
): { networks: DreamerNetworks; loss: Tensor; gradient: Tensor } {
  const networks = new DreamerNetworks(contract, config);
  const { model, layout, slowLayout, policyLayout } = networks;
  const { batch: B, length: T, horizon: H, imagine_every } = config;
  const { actions, discrete } = contract;
  const sequence = (id: string, size: number) => g.input(id, [T, B, size]);
  const batch: SequenceTensors = {
    observation: sequence('observation', observedBy(contract)),
    action: sequence('action', actions),
    reward: sequence('reward', 1),
    first: sequence('first', 1),
    terminal: sequence('terminal', 1),
    demonstrated: config.bc_weight > 0 ? sequence('demonstrated', 1) : undefined,
    carry: { h: g.input('h', [B, config.deter]), z: g.input('z', [B, model.latent.size]) },
    noise: sequence('latentNoise', model.latent.noise.size),
  };
  const scale = g.input('scale', []);
  const theta = g.state('theta', [layout.size]);
  const slowTheta = g.state('slow', [slowLayout.size]);
  const p = layout.views(theta);
  const slow = slowLayout.views(slowTheta);

  const observed = observe(networks, p, batch);
  const world = worldModelLoss(networks, p, batch, observed);

  // Dreams start from every nth step, ends of episodes among them with weight nothing.
  const chosen = Array.from({ length: Math.floor(T / imagine_every) }, (_, i) => (i + 1) * imagine_every - 1);
  const start = (x: Tensor) => (imagine_every === 1 ? x : pick(x, chosen, B));
  const starts = { h: start(observed.states.h), z: start(observed.states.z) };
  const N = chosen.length * B;
  const noise = {
    latent: g.input('dreamLatentNoise', [H, N, model.latent.noise.size]),
    action: g.input('dreamActionNoise', [H, N, discrete ? 1 : actions]),
  };
  const dream = behaviourLoss(networks, p, slow, starts, start(rows(batch.terminal)), noise, scale);
  const dreamt = imagine_every === 1 ? reshape(at(dream.returns, 0), [N, 1]) : undefined;
  const replayValue = replayValueLoss(networks, p, slow, batch, observed, dreamt);

  const behaviour = add(add(dream.actor, dream.critic), mul(replayValue, config.replay_value_scale));
  const imitation = imitationLoss(networks, p, batch, observed);
  const own = add(world.loss, behaviour);
  const loss = imitation ? add(own, mul(imitation, config.bc_weight)) : own;
  const gradient = layout.gradient(loss, p);
  const step = laprop(g, theta, gradient, layout, {
    learningRate: config.learning_rate,
    warmup: config.warmup,
    clip: config.clip,
  });
  const critic = slowLayout.flatten(layout.views(step.value));
  const slowNew = add(slowTheta, mul(sub(critic, slowTheta), config.slow_rate));

  const { reconstruction, reward, continue: continues, kl } = world.parts;
  const measured = [reconstruction, reward, continues, kl, dream.actor, dream.critic, replayValue];
  const states = {
    h: reshape(observed.states.h, [T, B, config.deter]),
    z: reshape(observed.states.z, [T, B, model.latent.size]),
  };
  const updates: (typeof step.updates)[number][] = [...step.updates, [slowTheta, slowNew]];
  if (config.policy_average > 0) {
    // θ̄ ← θ̄ + ν (θ − θ̄), of all that acts: averages of the weights of late updates generalise better than any of them
    // (Polyak and Juditsky, 1992; Izmailov et al., "Averaging Weights Leads to Wider Optima", 2018)
    const average = g.state('average', [policyLayout.size]);
    const acts = slice(step.value, 0, 0, policyLayout.size);
    updates.push([average, add(average, mul(sub(acts, average), config.policy_average))]);
  }
  g.step('update', updates, {
    metrics: concat(
      [...measured, dream.entropy, mean(dream.returns)].map((x) => reshape(x, [1])),
      0,
    ),
    returns: dream.returns,
    ...states,
  });
  g.step('follow', [], states);
  g.step('predict', [], { ...openLoop(networks, p, batch, observed) });
  return { networks, loss, gradient };
}

/** Rows of the given steps of [T · B, ..]. */
function pick(x: Tensor, steps: readonly number[], B: number): Tensor {
  return concat(
    steps.map((t) => slice(x, 0, t * B, (t + 1) * B)),
    0,
  );
}
