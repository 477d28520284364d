import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sacConfig } from '../../src/learn/sac/index.js';
import { type Contender, ours, PyTorch, type Sizes } from './contenders.js';

const usage = `SAC updates a second, ours against CleanRL's in PyTorch, paired and interleaved in one run.

  node dist/bench/sac/main.js [--python PATH] [--rounds 40] [--updates 5] [--threads 1,2]
                              [--hidden 256] [--batch 256] [--spin-us 100] [--json]

--python   an interpreter that has PyTorch; else REVERIE_PYTHON, else python3
--updates  in each round, for each contender
--spin-us  how long our waiting threads spin before they sleep, as PyTorch's do; 0 is what training does,
           where simulations share the processor`;

const { values: flags } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.REVERIE_PYTHON ?? 'python3' },
    rounds: { type: 'string', default: '40' },
    updates: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1,2' },
    hidden: { type: 'string', default: '256' },
    batch: { type: 'string', default: '256' },
    'spin-us': { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  console.log(usage);
  process.exit(0);
}

const say = (line: string) => (flags.json ? console.error(line) : console.log(line));
const sizes: Sizes = {
  observations: 46,
  actions: 12,
  batch: Number(flags.batch),
  hidden: Number(flags.hidden),
};
const hidden = [sizes.hidden, sizes.hidden];
const config = sacConfig('sac', { batch: sizes.batch, critic_hidden: hidden, actor_hidden: hidden });
const updates = Number(flags.updates);
const spin_us = Number(flags['spin-us']);

const contenders: Contender[] = [];
const torch = await PyTorch.start(flags.python, sizes);
for (const threads of flags.threads.split(',').map(Number)) {
  contenders.push(await ours(sizes, config, threads, spin_us));
  if (torch instanceof PyTorch)
    contenders.push(torch.contender('cleanrl', threads), torch.contender('lean', threads));
}
if (typeof torch === 'string') say(`no PyTorch (${torch}): ours alone`);

// Each round runs everybody once, there and back, so that whatever else the machine does falls on all alike. Rounds
// are short: on a busy machine many short pairs agree better than few long ones.
const rates = new Map<Contender, number[]>(contenders.map((c) => [c, []]));
for (const c of contenders) await c.run(updates);
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const c of round % 2 ? contenders.toReversed() : contenders) {
    // Threads of the one before stop spinning.
    await sleep(20);
    rates.get(c)!.push(updates / (await c.run(updates)));
  }
}
if (torch instanceof PyTorch) torch.stop();

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.round(q * (values.length - 1))];

/** The contender of that name with the thread count at which it is fastest. */
function best(name: string): Contender | undefined {
  const named = contenders.filter((c) => c.name === name);
  return named.sort((a, b) => quantile(rates.get(b)!, 0.5) - quantile(rates.get(a)!, 0.5))[0];
}

/** The median over rounds of one's rate against another's in the same round. */
function ratio(c: Contender, other: Contender | undefined): number | null {
  if (!other) return null;
  const pairs = rates.get(c)!.map((rate, round) => rate / rates.get(other)![round]);
  return Number(quantile(pairs, 0.5).toFixed(2));
}

const results = contenders.map((c) => ({
  name: c.name,
  engine: c.engine,
  threads: c.threads,
  median_per_s: Number(quantile(rates.get(c)!, 0.5).toFixed(1)),
  spread: [quantile(rates.get(c)!, 0.1), quantile(rates.get(c)!, 0.9)].map((v) => Number(v.toFixed(1))),
  ratio_to_cleanrl: ratio(c, best('cleanrl')),
  ratio_to_lean: ratio(c, best('lean')),
}));

const [cpu] = cpus();
const machine = `${cpu.model}, ${cpus().length} virtual cores, Node ${process.version}`;
if (flags.json) {
  console.log(JSON.stringify({ machine, sizes, spin_us, rounds: Number(flags.rounds), updates, results }));
} else {
  say(`${machine}; ${JSON.stringify(sizes)}; ${flags.rounds} rounds of ${updates} updates`);
  say('name      threads   updates/s   10–90 %          × CleanRL   × lean');
  for (const r of results) {
    const spread = r.spread.join('–');
    say(
      `${r.name.padEnd(9)} ${String(r.threads).padStart(7)} ${String(r.median_per_s).padStart(11)}   ${spread.padEnd(14)}` +
        `${String(r.ratio_to_cleanrl ?? '–').padStart(12)}${String(r.ratio_to_lean ?? '–').padStart(9)}`,
    );
  }
}
process.exit(0);
