import { expect, test } from 'vitest';
import { Random } from '../../../src/base/random.js';
import {
  DreamerNetworks,
  dreamerConfig,
  exportPolicy,
  policyNames,
  surpriseQuantiles,
} from '../../../src/learn/dreamer/index.js';
import { Replay } from '../../../src/learn/replay/replay.js';

const world = { observations: 3, actions: 2 };
const config = dreamerConfig('micro', {
  ...{ deter: 16, hidden: 8, blocks: 2, stoch: 4, classes: 4, units: 8, layers: 1, bins: 7 },
});

function network() {
  const networks = new DreamerNetworks(world, config);
  const flat = new Float32Array(networks.policyLayout.size);
  new Random(1).fillUniform(flat, -0.3, 0.3);
  return {
    manifest: {
      observation: [{ name: 'all', size: 3, unit: '1' }],
      action: { kind: 'residual' as const, centre_rad: [0, 0], scale_rad: [1, 1] },
      network: { file: 'policy.onnx' as const, ...policyNames(world, config) },
    },
    onnx: exportPolicy(networks, flat, {}),
    path: '.',
  };
}

/** Episodes of observations of a given size, so that large ones surprise more. */
function recorded(episodes: number, scale: number): Replay {
  const replay = new Replay({ observation: 3, action: 2, capacity: 1000, discount: 1 });
  const random = new Random(2);
  const draw = (n: number) => Float32Array.from({ length: n }, () => scale * random.normal());
  for (let e = 0; e < episodes; e++)
    for (let t = 0; t < 25; t++)
      replay.add({
        ...{ stream: e % 2, observation: draw(3), action: draw(2), reward: 0, nextObservation: draw(3) },
        ...{ terminal: t === 24, truncated: false },
      });
  return replay;
}

test('quantiles rise, and with what there is to be surprised by', () => {
  const calm = surpriseQuantiles(network(), recorded(8, 0.1));
  const wild = surpriseQuantiles(network(), recorded(8, 10));
  expect(calm.map((q) => q.quantile)).toEqual([0.9, 0.99, 0.999]);
  for (const signal of [0, 1]) {
    expect(calm[0].limits[signal]).toBeGreaterThan(0);
    expect(calm[0].limits[signal]).toBeLessThanOrEqual(calm[2].limits[signal]);
    expect(wild[1].limits[signal]).toBeGreaterThan(calm[1].limits[signal]);
  }
});

test('where nothing was recorded there are no limits', () => {
  expect(surpriseQuantiles(network(), recorded(0, 1))).toEqual([]);
});
