/**
 * How the quadruped learns to get up, and where the shipped policy comes from: it clones what a demonstrator
 * shows from lyings drawn at random.
 *
 *     node dist/bench/get-up/learn.js [--seeds 1,2,3] [--out runs/get-up] [--json]
 *
 * Each seed ends with a bundle in OUT/SEED/policy; `bench/get-up/main.js --policy` judges it beside the script.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import type { Evaluation } from '../../src/policy/manifest.js';
import { machine } from '../measure/machine.js';
import { reverie } from '../train/reverie.js';

const ROBOT = 'quadruped';
const DEMONSTRATIONS = 100;
const UPDATES = 10_000;
const LEARNER = { actor_hidden: [128, 128], actor_lr: 1e-3 };

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    out: { type: 'string', default: join('runs', 'get-up') },
    json: { type: 'boolean', default: false },
  },
});
mkdirSync(values.out, { recursive: true });
const config = join(values.out, 'clone.yaml');
writeFileSync(config, stringify({ learner: LEARNER }));

const results = [];
for (const seed of values.seeds.split(',')) {
  const demos = join(values.out, `demos-${seed}`);
  rmSync(demos, { recursive: true, force: true });
  await reverie(
    ...['demonstrate', 'rise', '--robot', ROBOT, '--episodes', String(DEMONSTRATIONS)],
    ...['--seed', seed, '--out', demos],
  );
  const { bundle, eval: evaluation } = await reverie<{ bundle: string; eval: Evaluation }>(
    ...['train', 'rise', '--robot', ROBOT, '--learner', 'bc', '--demos', demos, '--config', config],
    ...['--seed', seed, '--steps', String(UPDATES), '--threads', '1', '--out', join(values.out, seed)],
  );
  results.push({ seed: Number(seed), success_rate: evaluation.success_rate, bundle });
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(), results })}\n`);
else
  for (const { seed, success_rate, bundle } of results)
    process.stdout.write(`seed ${seed}: ${Math.round(100 * (success_rate ?? 0))} % get up; ${bundle}\n`);
