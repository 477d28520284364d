import type { ImageShape } from '../../tasks/task.js';
import { concat, type Parameters, reshape, slice, type Tensor } from '../../tensor/index.js';
import { pixelsOf } from './images.js';
import { type DreamerNetworks, observedBy } from './networks.js';
import { features } from './rssm.js';
import { at, type Observed, type SequenceTensors } from './worldModel.js';

/** Steps of a sequence of T that are seen before the rest is predicted. */
export const contextSteps = (T: number): number => Math.floor(T / 2);

/**
 * What the model expects once it no longer sees: from the state after the first half of each sequence it goes on
 * under the actions that were executed, with the most likely latents.
 * @returns whole observations [T − C, B, ..] and rewards [T − C, B, 1]
 */
export function openLoop(
  networks: DreamerNetworks,
  p: Parameters,
  batch: SequenceTensors,
  { states }: Observed,
): { observation: Tensor; reward: Tensor } {
  const { model, twoHot } = networks;
  const [T, B] = batch.observation.shape;
  const C = contextSteps(T);
  const last = (x: Tensor) => slice(x, 0, (C - 1) * B, C * B);
  let state = { h: last(states.h), z: last(states.z) };
  const dreamt: Tensor[] = [];
  for (let t = C; t < T; t++) {
    const h = model.advance(p, state, at(batch.action, t));
    state = { h, z: model.latent.mode(model.prior(p, h)) };
    dreamt.push(features(state));
  }
  const all = concat(dreamt, 0);
  return {
    observation: reshape(networks.imagine(p, all), [T - C, B, observedBy(networks.contract)]),
    reward: reshape(twoHot.mean(networks.reward.apply(p, all)), [T - C, B, 1]),
  };
}

/** Observed and predicted steps of one batch, [T, B, ..] and [T − C, B, ..]. */
export interface OpenLoop {
  readonly length: number;
  readonly batch: number;
  /** The picture that each observation ends with, if it does. */
  readonly image?: ImageShape;
  readonly observation: Float32Array;
  readonly reward: Float32Array;
  readonly first: Float32Array;
  readonly predicted: Float32Array;
  readonly predictedReward: Float32Array;
}

/**
 * Error of open-loop predictions by horizon: the root of the squared errors of all observations over their variances
 * in the batch, both summed, since what hardly moves has no scale of its own. 1 is what guessing the mean achieves.
 * Sequences count until their episode ends.
 * @param part of the observation: its vector, or the picture behind that
 * @returns for each step of horizon, from 1 on; NaN where no sequence is that long
 */
export function errorByHorizon(
  { length: T, batch: B, image, observation, first, predicted }: OpenLoop,
  part: 'vector' | 'image' = 'vector',
): number[] {
  const C = contextSteps(T);
  const O = observation.length / T / B;
  const V = O - pixelsOf(image);
  const [from, to] = part === 'vector' ? [0, V] : [V, O];
  let variance = 0;
  for (let o = from; o < to; o++) {
    let [sum, squares] = [0, 0];
    for (let i = o; i < observation.length; i += O) {
      sum += observation[i];
      squares += observation[i] ** 2;
    }
    variance += squares / (T * B) - (sum / (T * B)) ** 2;
  }
  const goesOn = new Array<boolean>(B).fill(true);
  return Array.from({ length: T - C }, (_, k) => {
    let sum = 0;
    let count = 0;
    for (let b = 0; b < B; b++) {
      goesOn[b] &&= first[(C + k) * B + b] === 0;
      if (!goesOn[b]) continue;
      count++;
      for (let o = from; o < to; o++)
        sum += (predicted[(k * B + b) * O + o] - observation[((C + k) * B + b) * O + o]) ** 2;
    }
    return Math.sqrt(sum / count / variance);
  });
}
