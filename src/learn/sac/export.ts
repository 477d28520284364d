import { exportOnnx, Graph, ParameterLayout, tanh } from '../../tensor/index.js';
import { type Activation, Pass } from '../nn/index.js';
import { actorNetwork, gaussian } from './actor.js';
import type { SacConfig } from './presets.js';

interface Sizes {
  observations: number;
  actions: number;
  config: SacConfig;
}

/** What `actorParameters()` holds: for each layer its weights [inputs, outputs], row-major, then its biases. */
export interface ActorLayout {
  observations: number;
  actions: number;
  hidden: readonly number[];
  /** After each hidden layer; the last layer is linear and gives the means, then the log deviations. */
  activation: Activation;
  /** Bounds of the log deviations. */
  logStd: readonly [number, number];
}

export function actorLayout({ observations, actions, config }: Sizes): ActorLayout {
  const { actor_hidden: hidden, activation, log_std: logStd } = config;
  return { observations, actions, hidden, activation, logStd };
}

/**
 * The actor as an .onnx file for a batch of any length: `observation` [batch, observations] → `mean` (before tanh),
 * `log_std` and `action` = tanh(mean), each [batch, actions].
 * @param flat weights in the order of `actorLayout`
 */
export function exportActor(sizes: Sizes, flat: Float32Array, metadata: Record<string, string>): Uint8Array {
  const { observations, actions, config } = sizes;
  const g = new Graph();
  const actor = actorNetwork(observations, actions, config);
  const layout = new ParameterLayout(actor.parameters);
  const views = layout.views(g.state('actor', [layout.size]));
  const values = layout.cut(flat);
  const observation = g.input('observation', [1, observations]);
  const { mean, logStd } = gaussian(actor, views, observation, config, new Pass(g, 'export'));
  return exportOnnx({
    name: 'actor',
    inputs: { observation },
    outputs: { mean, log_std: logStd, action: tanh(mean) },
    parameters: Object.fromEntries(
      Object.entries(views).map(([id, tensor]) => [id, { tensor, values: values[id] }]),
    ),
    dynamicBatch: true,
    metadata,
  });
}
