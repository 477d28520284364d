import { expect, test } from 'vitest';
import { Random } from '../../../src/base/random.js';
import { sacGraph } from '../../../src/learn/sac/sac.js';
import { compile, Graph } from '../../../src/tensor/index.js';
import { enginesHere } from '../../tensor/engines.js';
import { expectClose } from '../../tensor/support.js';
import { Network64 } from './network64.js';
import { normals, randomBatch, sizes, tiny } from './support.js';

const { observations: O, actions: A } = sizes;
const config = tiny({ target_entropy_per_action: -0.5, initial_temperature: 0.3 });
const B = config.batch;

/** Soft Actor-Critic's update (Haarnoja et al., 2018), sample by sample, gradients derived by hand. */
class Sac64 {
  readonly actor: Network64;
  readonly q: Network64[];
  readonly target: Network64[];
  readonly logAlpha: Network64;

  constructor(actor: Float32Array, critic: Float32Array) {
    const n = critic.length / 2;
    const half = (i: number) => Float64Array.from(critic.subarray(i * n, (i + 1) * n));
    const critics = [O + A, ...config.critic_hidden, 1];
    this.actor = new Network64([O, ...config.actor_hidden, 2 * A], Float64Array.from(actor));
    this.q = [0, 1].map((i) => new Network64(critics, half(i)));
    this.target = [0, 1].map((i) => new Network64(critics, half(i)));
    this.logAlpha = new Network64([], Float64Array.of(Math.log(config.initial_temperature)));
  }

  private draw(s: readonly number[], epsilon: readonly number[]) {
    const values = this.actor.forward(s);
    const head = values[values.length - 1];
    const logStd = head.slice(A).map((x) => Math.min(Math.max(x, -5), 2));
    const u = epsilon.map((e, i) => head[i] + Math.exp(logStd[i]) * e);
    const a = u.map(Math.tanh);
    const logProb = a.reduce((sum, x, i) => {
      const logNormal = -0.5 * epsilon[i] ** 2 - logStd[i] - 0.5 * Math.log(2 * Math.PI);
      return sum + logNormal - Math.log(1 - x * x);
    }, 0);
    return { values, logStd, a, logProb };
  }

  step(batch: Record<string, Float32Array>): void {
    const row = (id: string, b: number, n: number) => [...batch[id].subarray(b * n, (b + 1) * n)];
    const alpha = Math.exp(this.logAlpha.p[0]);
    const output = (net: Network64, x: number[]) => net.forward(x).at(-1)![0];

    const criticGradients = this.q.map((net) => new Float64Array(net.p.length));
    for (let b = 0; b < B; b++) {
      const sNext = row('nextObservation', b, O);
      const next = this.draw(sNext, row('nextNoise', b, A));
      const qNext = Math.min(...this.target.map((net) => output(net, [...sNext, ...next.a])));
      const y = batch.reward[b] + batch.discount[b] * (qNext - alpha * next.logProb);
      this.q.forEach((net, i) => {
        const values = net.forward([...row('observation', b, O), ...row('action', b, A)]);
        net.backward(values, [(2 * (values.at(-1)![0] - y)) / B], criticGradients[i]);
      });
    }
    // One Adam over both critics is the same as one for each.
    this.q.forEach((net, i) => {
      net.adam(criticGradients[i], config.critic_lr);
    });

    const actorGradient = new Float64Array(this.actor.p.length);
    let entropy = 0;
    for (let b = 0; b < B; b++) {
      const s = row('observation', b, O);
      const epsilon = row('noise', b, A);
      const { values, logStd, a, logProb } = this.draw(s, epsilon);
      entropy -= logProb / B;
      const critics = this.q.map((net) => ({ net, values: net.forward([...s, ...a]) }));
      const worse = critics.reduce((p, q) => (q.values.at(-1)![0] < p.values.at(-1)![0] ? q : p));
      const dQ = worse.net.backward(worse.values, [1], new Float64Array(worse.net.p.length)).slice(O);
      // J = (α log π − Q) / B with a = tanh u, u = μ + σ ε: d log π / du = 2 a, d log π / d log σ = −1 + 2 a σ ε
      const dMean = a.map((x, i) => (alpha * 2 * x - dQ[i] * (1 - x * x)) / B);
      const dLogStd = a.map((_, i) => dMean[i] * Math.exp(logStd[i]) * epsilon[i] - alpha / B);
      this.actor.backward(values, [...dMean, ...dLogStd], actorGradient);
    }
    this.actor.adam(actorGradient, config.actor_lr);
    const targetEntropy = config.target_entropy_per_action * A;
    this.logAlpha.adam(Float64Array.of(alpha * (entropy - targetEntropy)), config.temperature_lr);

    this.target.forEach((net, i) => {
      for (let k = 0; k < net.p.length; k++) net.p[k] += config.tau * (this.q[i].p[k] - net.p[k]);
    });
  }
}

test.each(enginesHere)(
  'twenty steps on %s are those of a hand-written reference in double precision',
  async (engine) => {
    const g = new Graph();
    const { layout } = sacGraph(g, O, A, config);
    const program = await compile(g, { engine });
    const random = new Random(5);
    const actor = layout.actor.initialise(random);
    const critic = layout.critic.initialise(random);
    program.setState('actor', actor);
    program.setState('critic', critic);
    program.setState('target', critic);
    program.setState('logAlpha', Float32Array.of(Math.log(config.initial_temperature)));
    const reference = new Sac64(actor, critic);
    for (let step = 0; step < 20; step++) {
      const noise = { noise: normals(random, B * A), nextNoise: normals(random, B * A) };
      const batch = { ...randomBatch(random, B), ...noise };
      await program.run('both', batch);
      reference.step(batch);
    }
    const join = (nets: Network64[]) => nets.flatMap((net) => [...net.p]);
    expectClose(program.getState('critic'), join(reference.q), 2e-5, 'critic');
    expectClose(program.getState('target'), join(reference.target), 2e-6, 'target');
    expectClose(program.getState('actor'), reference.actor.p, 2e-5, 'actor');
    expectClose(program.getState('logAlpha'), reference.logAlpha.p, 1e-5, 'logAlpha');
    // The steps were large against those tolerances.
    const moved = program.getState('actor').map((x, i) => Math.abs(x - actor[i]));
    expect(Math.max(...moved)).toBeGreaterThan(3e-3);
  },
);
