import type { NetworkNames } from '../../policy/manifest.js';
import { add, exportOnnx, Graph, mean, mul, sqrt, square, sub } from '../../tensor/index.js';
import { DreamerNetworks, observedBy, type WorldContract } from './networks.js';
import type { DreamerConfig } from './presets.js';
import { features } from './rssm.js';

/** How long a policy goes on by its own expectation alone, where its robot allows so much, before the robot stops. */
const IMAGINES_S = 0.25;

/**
 * Names and sizes in the file that `exportPolicy` writes, for the manifest.
 * @param sensingLost_s after so long without a sample the robot brakes, whatever its policy expects: a policy states
 *   no more than that
 */
export function policyNames(
  world: WorldContract,
  config: DreamerConfig,
  sensingLost_s = Number.POSITIVE_INFINITY,
): NetworkNames {
  const { latent } = new DreamerNetworks(world, config).model;
  return {
    input: 'observation',
    outputs: { action: 'action', std: 'std' },
    state: [
      { input: 'h', output: 'h_next', size: config.deter },
      { input: 'z', output: 'z_next', size: latent.size },
    ],
    previous_action: 'previous_action',
    imagination: { input: 'seen', longest_s: Math.min(IMAGINES_S, sensingLost_s) },
    surprise: {
      outputs: [
        { output: 'kl', unit: 'nat' },
        { output: 'prediction_error', unit: 'symlog' },
      ],
      quantiles: [],
    },
  };
}

/**
 * One step of world model and actor as an .onnx file for one robot: `observation`, `previous_action`, `seen` and the
 * model's state `h`, `z` → `action`, `std`, `h_next`, `z_next`, all [1, n].
 *
 * Where `seen` is 1 the stochastic state is the posterior's most likely one; where it is 0, the prior's: the policy
 * then goes on in what it expects, and `observation` is not read.
 *
 * Two numbers say how little was expected: `kl`, of the posterior to the prior, and `prediction_error`, the root mean
 * square difference of the observation's vector to the prior's, both under symlog. A picture counts in `kl` alone.
 * @param flat weights in the order of `policyLayout`
 */
export function exportPolicy(
  networks: DreamerNetworks,
  flat: Float32Array,
  metadata: Record<string, string>,
): Uint8Array {
  const { contract, config, model, policyLayout: layout } = networks;
  const g = new Graph();
  const p = layout.views(g.state('policy', [layout.size]));
  const values = layout.cut(flat);
  const inputs = {
    observation: g.input('observation', [1, observedBy(contract)]),
    previous_action: g.input('previous_action', [1, contract.actions]),
    seen: g.input('seen', [1, 1]),
    h: g.input('h', [1, config.deter]),
    z: g.input('z', [1, model.latent.size]),
  };
  const h = model.advance(p, inputs, inputs.previous_action);
  const prior = model.prior(p, h);
  const posterior = model.posterior(p, h, networks.encode(p, inputs.observation));
  // Not prior + seen · difference: what is seen must not be rounded by what was expected.
  const statistics = add(mul(posterior, inputs.seen), mul(prior, sub(1, inputs.seen)));
  const z = model.latent.mode(statistics);
  const { mode, deviation } = networks.policy(p, features({ h, z }));
  const expected = networks.decode(p, features({ h, z: model.latent.mode(prior) }));
  const squared = square(sub(expected, networks.vector(inputs.observation)));
  const surprise = {
    kl: model.latent.divergence(posterior, prior),
    prediction_error: sqrt(mean(squared, { axes: [1], keepDims: true })),
  };
  return exportOnnx({
    name: 'dreamer',
    inputs,
    outputs: { action: mode, ...(deviation && { std: deviation }), h_next: h, z_next: z, ...surprise },
    parameters: Object.fromEntries(
      Object.entries(p).map(([id, tensor]) => [id, { tensor, values: values[id] }]),
    ),
    metadata,
  });
}
