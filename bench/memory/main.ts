/**
 * How much memory does a Dreamer update take? Each in a process of its own that makes some updates and says the most
 * that it held: ours by engine, and PyTorch's where that is installed.
 *
 *     node dist/bench/memory/main.js [--preset 1M] [--engines native,onnx] [--threads 2] [--python python3] [--json]
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { UserError } from '../../src/base/errors.js';
import type { EngineName } from '../../src/tensor/index.js';
import { machine } from '../measure/machine.js';
import { type DreamerPreset, dreamerComparator, dreamerContender, dreamerPresets } from '../step/dreamer.js';
import { PyTorch } from '../step/pytorch.js';

/** Contenders run several updates each time. */
const RUNS = 3;

const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: '1M' },
    engines: { type: 'string', default: 'native,onnx' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string', default: 'python3' },
    json: { type: 'boolean', default: false },
    /** The engine that this process is to measure in itself. */
    child: { type: 'string' },
  },
});
const preset = dreamerPresets.find((known) => known === values.preset);
if (!preset) throw new UserError(`--preset ${values.preset}: expected one of ${dreamerPresets.join(', ')}`);
const threads = Number(values.threads);

if (values.child) process.stdout.write(`${await ownPeak_mb(values.child as EngineName, preset)}\n`);
else {
  const results = [];
  for (const engine of values.engines.split(','))
    results.push({ engine, peak_mb: await peakOfChild_mb(engine) });
  const torch = await PyTorch.start(values.python);
  if (torch instanceof PyTorch) {
    const comparator = dreamerComparator(torch, preset, threads);
    for (let k = 0; k < RUNS; k++) await comparator.run();
    const { peak_mb } = await torch.ask({ work: 'memory', threads });
    results.push({ engine: comparator.engine, peak_mb });
    torch.stop();
  } else process.stderr.write(`no PyTorch: ${torch}\n`);
  const rounded = results.map(({ engine, peak_mb }) => ({ engine, peak_mb: Math.round(peak_mb) }));
  if (values.json)
    process.stdout.write(`${JSON.stringify({ machine: machine(), preset, threads, results: rounded })}\n`);
  else for (const { engine, peak_mb } of rounded) process.stdout.write(`${engine}: ${peak_mb} MB\n`);
}

async function ownPeak_mb(engine: EngineName, of: DreamerPreset): Promise<number> {
  const contender = await dreamerContender(of, engine, threads);
  for (let k = 0; k < RUNS; k++) await contender.run();
  await contender.dispose?.();
  return process.resourceUsage().maxRSS / 1024;
}

async function peakOfChild_mb(engine: string): Promise<number> {
  const own = [fileURLToPath(import.meta.url), '--child', engine];
  const rest = ['--preset', values.preset, '--threads', values.threads];
  const { stdout } = await promisify(execFile)(process.execPath, [...own, ...rest]);
  return Number(stdout);
}
