import { loadPolicy, type PolicyNetwork } from '../../policy/inference.js';
import type { NetworkNames } from '../../policy/manifest.js';
import type { Replay } from '../replay/replay.js';

/** Shares of training steps whose limits a bundle holds. */
const QUANTILES = [0.9, 0.99, 0.999] as const;
/** The newest transitions that they come from. */
const STEPS = 4000;
/** Steps of an episode before its model has seen enough to expect anything. */
const SETTLING_STEPS = 3;

/**
 * How surprised a policy's model is by what was recorded in training: the quantiles that a gate takes its limits from.
 * The policy is led through the newest episodes as if it lived through them.
 * @returns the limits for each quantile; none where nothing was recorded
 */
export function surpriseQuantiles(
  network: PolicyNetwork,
  replay: Replay,
): NonNullable<NetworkNames['surprise']>['quantiles'] {
  const policy = loadPolicy(network);
  const { surprise } = policy;
  if (!surprise) return [];
  const action = new Float32Array(policy.actionSize);
  const samples = surprise.values.length > 0 ? Array.from(surprise.values, () => [] as number[]) : [];
  for (const episode of newestEpisodes(replay)) {
    policy.reset();
    for (const [t, slot] of episode.entries()) {
      const observation = new Float32Array(policy.observationSize);
      replay.copyPart('observation', slot, observation, 0);
      policy.act(observation, action);
      if (t >= SETTLING_STEPS) for (const [i, list] of samples.entries()) list.push(surprise.values[i]);
      replay.copyPart('action', slot, action, 0);
      policy.executed(action);
    }
  }
  if (samples[0].length === 0) return [];
  for (const list of samples) list.sort((a, b) => a - b);
  return QUANTILES.map((quantile) => ({
    quantile,
    limits: samples.map((list) => list[Math.min(list.length - 1, Math.floor(quantile * list.length))]),
  }));
}

/** Slots of the newest episodes of all streams, each from its beginning, until there are steps enough. */
function newestEpisodes(replay: Replay): number[][] {
  const { back } = replay.links;
  const episodes: number[][] = [];
  let steps = 0;
  let ends = replay.newestSlots();
  while (ends.length > 0 && steps < STEPS) {
    ends = ends.flatMap((end) => {
      const episode = [end];
      for (let slot = replay.links.previous(end); slot >= 0; slot = replay.links.previous(slot))
        episode.push(slot);
      episodes.push(episode.reverse());
      steps += episode.length;
      const before = back[episode[0]];
      return before < 0 ? [] : [before];
    });
  }
  return episodes;
}
