import { UserError } from '../../base/errors.js';
import { type ImageShape, imageOf, observationSize, type TaskContract } from '../../tasks/task.js';
import {
  add,
  concat,
  div,
  equal,
  log,
  logSoftmax,
  mul,
  ParameterLayout,
  type Parameters,
  reduceMax,
  reshape,
  sigmoid,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  toFloat,
} from '../../tensor/index.js';
import { ImageCodec, imageProblem, pixelsOf } from './images.js';
import { chain, dense, type Layer, trunk } from './layers.js';
import { oneHotAt } from './oneHot.js';
import type { DreamerConfig } from './presets.js';
import { StateSpaceModel } from './rssm.js';
import { symexp, symlog, TwoHot } from './twoHot.js';

/** What a world looks like to a learner. */
export interface WorldContract {
  /** Numbers of the observation, those of its picture left out. */
  readonly observations: number;
  readonly actions: number;
  /** discrete: one of `actions`, one-hot; else each in about ±1. */
  readonly discrete?: boolean;
  /** The picture of a camera, which observations end with. */
  readonly image?: ImageShape;
}

/** What the world of a robot and its task looks like. */
export function worldOf(task: TaskContract): WorldContract {
  const image = imageOf(task);
  const actions = task.action.scale_rad.length;
  return { observations: observationSize(task) - pixelsOf(image), actions, image };
}

/** Length of a whole observation: the vector, and the picture behind it. */
export const observedBy = ({ observations, image }: WorldContract): number => observations + pixelsOf(image);

/** Every network of a Dreamer and the order of its parameters. */
export class DreamerNetworks {
  readonly model: StateSpaceModel;
  readonly twoHot: TwoHot;
  readonly actor: Layer;
  readonly reward: Layer;
  readonly continues: Layer;
  readonly critic: Layer;
  /** Order of the flat vectors: everything that learns, and the slow critic. */
  readonly layout: ParameterLayout;
  readonly slowLayout: ParameterLayout;
  /** What the deployed policy consists of: the first part of `layout`. */
  readonly policyLayout: ParameterLayout;
  private readonly vectorIn: Layer;
  private readonly vectorOut: Layer;
  private readonly images: ImageCodec | undefined;

  constructor(
    readonly contract: WorldContract,
    readonly config: DreamerConfig,
  ) {
    const { units, layers, bins } = config;
    const { observations, actions, image } = contract;
    const problem = image && imageProblem(image);
    if (problem) throw new UserError(`the camera image ${problem}`);
    const latents = config.stoch * (config.latent === 'categorical' ? config.classes : 1);
    const width = config.deter + latents;
    const head = (name: string, depth: number, outputs: number, scale: number) =>
      chain(trunk(name, width, units, depth), dense(`${name}.out`, units, outputs, scale));
    this.images = image && new ImageCodec(image, config.patches, width);
    this.vectorIn = trunk('encoder', observations, units, layers);
    this.vectorOut = head('decoder', layers, observations, 1);
    this.model = new StateSpaceModel(config, actions, units + (this.images?.size ?? 0));
    this.twoHot = new TwoHot(bins);
    this.reward = head('reward', 1, bins, 0);
    this.continues = head('continue', 1, 1, 1);
    this.actor = head('actor', layers, contract.discrete ? actions : 2 * actions, 0.01);
    this.critic = head('critic', layers, bins, 0);
    const sensing = [this.vectorIn, this.model].flatMap((part) => part.parameters);
    const imaging = this.images?.parameters ?? [];
    // The decoder too: a policy says how far what it sees is from what it expected.
    const acting = [...sensing, ...imaging, ...this.actor.parameters, ...this.vectorOut.parameters];
    this.policyLayout = new ParameterLayout(acting);
    this.layout = new ParameterLayout([
      ...acting,
      ...[this.reward, this.continues, this.critic].flatMap((part) => part.parameters),
    ]);
    this.slowLayout = new ParameterLayout(this.critic.parameters);
  }

  /** Of whole observations [rows, vector and picture], the vector under symlog. */
  vector(observation: Tensor): Tensor {
    return symlog(this.images ? slice(observation, 1, 0, this.contract.observations) : observation);
  }

  /** Embeds whole observations: [rows, tokens]. */
  encode(p: Parameters, observation: Tensor): Tensor {
    const tokens = this.vectorIn.apply(p, this.vector(observation));
    return this.images ? concat([tokens, this.images.encode(p, this.picture(observation))], 1) : tokens;
  }

  /** The vector under symlog, [rows, observations], as features [rows, width] make it out. */
  decode(p: Parameters, features: Tensor): Tensor {
    return this.vectorOut.apply(p, features);
  }

  /** Whole observations as features make them out. */
  imagine(p: Parameters, features: Tensor): Tensor {
    const vector = symexp(this.decode(p, features));
    return this.images ? concat([vector, sigmoid(this.images.decode(p, features))], 1) : vector;
  }

  /** −ln p(x | features) up to a constant, [rows, 1]: squared errors, of the vector under symlog. */
  reconstructionLoss(p: Parameters, features: Tensor, observation: Tensor): Tensor {
    const total = (x: Tensor) => sum(square(x), { axes: [1], keepDims: true });
    const vector = total(sub(this.decode(p, features), this.vector(observation)));
    if (!this.images) return vector;
    const picture = sigmoid(this.images.decode(p, features));
    return add(vector, total(sub(picture, this.picture(observation))));
  }

  private picture(observation: Tensor): Tensor {
    return slice(observation, 1, this.contract.observations, observedBy(this.contract));
  }

  /** The policy at features [rows, width]. */
  policy(p: Parameters, features: Tensor): Policy {
    const head = this.actor.apply(p, features);
    return this.contract.discrete ? choice(head, this.config.unimix) : boundedNormal(head, this.config.std);
  }
}

/** A distribution over actions. */
export interface Policy {
  /** What to do when not exploring, [rows, actions]. */
  readonly mode: Tensor;
  /** Standard deviation of each action, [rows, actions]; not of a choice. */
  readonly deviation?: Tensor;
  /** @param noise [rows, actions] standard normal; [rows, 1] uniform for discrete actions */
  draw(noise: Tensor): Tensor;
  /** [rows, 1] */
  logProbability(action: Tensor): Tensor;
  /** [rows, 1], in nats */
  entropy(): Tensor;
}

const overActions = (x: Tensor) => sum(x, { axes: [1], keepDims: true });

/** Normal with mean tanh(·) and a deviation between bounds (DreamerV3's `bounded_normal`). */
function boundedNormal(head: Tensor, [least, most]: readonly [number, number]): Policy {
  const actions = head.shape[1] / 2;
  const mean = tanh(slice(head, 1, 0, actions));
  const deviation = add(mul(sigmoid(add(slice(head, 1, actions, 2 * actions), 2)), most - least), least);
  return {
    mode: mean,
    deviation,
    draw: (noise) => add(mean, mul(deviation, noise)),
    logProbability: (action) => {
      const z = div(sub(action, mean), deviation);
      return overActions(sub(mul(square(z), -0.5), add(log(deviation), 0.5 * Math.log(2 * Math.PI))));
    },
    entropy: () => overActions(add(log(deviation), 0.5 * Math.log(2 * Math.PI * Math.E))),
  };
}

/** One of the actions, one-hot. */
function choice(logits: Tensor, unimix: number): Policy {
  const [rows, actions] = logits.shape;
  const p = add(mul(softmax(logits), 1 - unimix), unimix / actions);
  const logP = unimix > 0 ? log(p) : logSoftmax(logits);
  return {
    mode: toFloat(equal(logits, reduceMax(logits, { axes: [1], keepDims: true }))),
    draw: (noise) => {
      const drawn = oneHotAt(reshape(p, [rows, 1, actions]), reshape(noise, [rows, 1, 1]));
      return reshape(drawn, [rows, actions]);
    },
    logProbability: (action) => overActions(mul(action, logP)),
    entropy: () => mul(overActions(mul(p, logP)), -1),
  };
}
