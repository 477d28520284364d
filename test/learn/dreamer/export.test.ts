import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { Random } from '../../../src/base/random.js';
import {
  DreamerNetworks,
  dreamerConfig,
  exportPolicy,
  observedBy,
  policyNames,
  type WorldContract,
} from '../../../src/learn/dreamer/index.js';
import { loadPolicy } from '../../../src/policy/inference.js';
import { plainProducts, productEngines } from '../../../src/policy/products.js';

const world: WorldContract = { observations: 5, actions: 2 };
const tiny = (preset: string) =>
  dreamerConfig(preset, {
    deter: 16,
    hidden: 8,
    blocks: 4,
    stoch: 4,
    classes: 4,
    units: 12,
    layers: 2,
    bins: 7,
  });

const camera = (height: number, width: number): WorldContract => ({
  ...world,
  image: { height, width, channels: 1 },
});

function built(preset: string, seed = 1, contract = world) {
  const config = tiny(preset);
  const networks = new DreamerNetworks(contract, config);
  // Weights of some size everywhere, so that nothing is compared with zero.
  const flat = new Float32Array(networks.policyLayout.size);
  new Random(seed).fillUniform(flat, -0.5, 0.5);
  const names = policyNames(contract, config);
  return { networks, flat, names, onnx: exportPolicy(networks, flat, {}) };
}

function policyOf({ names, onnx, networks }: ReturnType<typeof built>, engine = plainProducts) {
  const bundle = {
    manifest: {
      observation: [{ name: 'all', size: observedBy(networks.contract), unit: '1' }],
      action: { kind: 'residual' as const, centre_rad: [0, 0], scale_rad: [1, 1] },
      network: { file: 'policy.onnx' as const, ...names },
    },
    onnx,
    path: '.',
  };
  return loadPolicy(bundle, engine);
}

const observed = (random: Random, contract = world) => {
  const x = new Float32Array(observedBy(contract));
  random.fillNormal(x);
  return x;
};

const everyEngine = productEngines();
describe.each([
  { preset: 'micro', what: 'a vector', contract: world },
  { preset: 'micro-v2', what: 'a vector', contract: world },
  { preset: 'micro-v1', what: 'a vector', contract: world },
  { preset: 'micro', what: 'a picture of 8×8', contract: camera(8, 8) },
  { preset: 'micro', what: 'a picture of 32×16', contract: camera(32, 16) },
])('the exported policy of $preset that sees $what', ({ preset, contract }) => {
  it.each(everyEngine)(
    'acts as ONNX Runtime says, step after step, seen or imagined, by $name',
    async (engine) => {
      const made = built(preset, 1, contract);
      const policy = policyOf(made, engine);
      const session = await ort.InferenceSession.create(made.onnx, { intraOpNumThreads: 1 });
      const random = new Random(2);
      let state = made.names.state.map(({ size }) => new Float32Array(size));
      let before = new Float32Array(2);
      const action = new Float32Array(2);
      const row = (x: Float32Array) => new ort.Tensor('float32', x.slice(), [1, x.length]);
      for (let t = 0; t < 12; t++) {
        const x = observed(random, contract);
        const seen = t % 4 !== 3;
        if (seen) policy.act(x, action);
        else policy.imagination!.act(action);
        const answer = await session.run({
          observation: row(x),
          previous_action: row(before),
          seen: row(Float32Array.of(seen ? 1 : 0)),
          h: row(state[0]),
          z: row(state[1]),
        });
        const data = (name: string) => answer[name].data as Float32Array;
        action.forEach((a, i) => {
          expect(Math.abs(a - data('action')[i]), `step ${t}`).toBeLessThan(1e-5);
        });
        if (seen)
          for (const [i, name] of ['kl', 'prediction_error'].entries()) {
            const [expected] = data(name);
            expect(Math.abs(policy.surprise!.values[i] / expected - 1), `step ${t}: ${name}`).toBeLessThan(
              1e-3,
            );
          }
        state = [data('h_next').slice(), data('z_next').slice()];
        before = Float32Array.of(0.3 * t - 1, 0.5);
        policy.executed(before);
      }
      await session.release();
    },
  );
});

describe('a policy with a world model', () => {
  const run = (policy: ReturnType<typeof policyOf>, seed: number, steps = 5) => {
    const random = new Random(seed);
    const action = new Float32Array(2);
    for (let t = 0; t < steps; t++) policy.act(observed(random), action);
    return action.slice();
  };

  it('forgets at the start of an episode', () => {
    const policy = policyOf(built('micro'));
    const fresh = run(policy, 3);
    expect(run(policy, 3)).not.toEqual(fresh);
    policy.reset();
    expect(run(policy, 3)).toEqual(fresh);
  });

  it('remembers what was executed in place of what it asked for', () => {
    const policy = policyOf(built('micro'));
    const actions = [0.9, -0.9].map((value) => {
      policy.reset();
      run(policy, 3);
      policy.executed([value, value]);
      return run(policy, 4, 1);
    });
    expect(actions[0]).not.toEqual(actions[1]);
  });

  it('takes new weights in place and keeps what it remembers', () => {
    const other = built('micro', 7);
    const changed = policyOf(built('micro'));
    const expected = policyOf(other);
    changed.setWeights(other.networks.policyLayout.cut(other.flat));
    expect(run(changed, 3)).toEqual(run(expected, 3));
    // Again the same: the memory of five steps is still there.
    changed.setWeights(other.networks.policyLayout.cut(other.flat));
    expect(run(changed, 4, 1)).toEqual(run(expected, 4, 1));
  });

  it('explores about its action, within ±1', () => {
    const policy = policyOf(built('micro'));
    const action = new Float32Array(2);
    const random = new Random(1);
    const drawn = Array.from({ length: 200 }, () => {
      policy.reset();
      policy.act(Float32Array.of(1, 2, 3, 4, 5), action, { random, scale: 1 });
      return action[0];
    });
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1);
    expect(new Set(drawn).size).toBeGreaterThan(50);
  });
});

it('looks at the picture, which says nothing of the error of the vector', () => {
  const policy = policyOf(built('micro', 1, camera(8, 8)));
  const action = new Float32Array(2);
  const x = observed(new Random(1), camera(8, 8));
  const answers = [0, 1].map((shade) => {
    policy.reset();
    x.fill(shade, world.observations);
    policy.act(x, action);
    return { action: action.slice(), error: policy.surprise!.values[1] };
  });
  expect(answers[0].action).not.toEqual(answers[1].action);
  expect(answers[0].error).toBe(answers[1].error);
});

it('pictures of other sizes than the model can take are refused', () => {
  expect(() => new DreamerNetworks(camera(48, 64), tiny('micro'))).toThrow(UserError);
  expect(() => new DreamerNetworks(camera(48, 64), tiny('micro'))).toThrow(
    'the camera image is 48×64, expected sides of 8, 16, 32 or 64',
  );
});
