import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import ort from 'onnxruntime-node';
import { UserError } from '../base/errors.js';
import { writeFileAtomic } from '../base/files.js';
import { Random } from '../base/random.js';
import { decodeModel } from '../onnx/bytes.js';
import { type Bundle, readBundle } from '../policy/bundle.js';
import { contractOf, tensorsAsLists } from '../policy/contract.js';
import { loadPolicy } from '../policy/inference.js';
import { printJson, printTable } from './output.js';

interface ExportOptions {
  readonly out: string;
  readonly format: 'onnx' | 'json';
  readonly json?: true;
}

/** Random observations that the exported network is compared on. */
const TRIALS = 100;
/** Single precision, summed in another order, differs by less; a wrong weight or order by far more. */
const TOLERANCE = 1e-4;

const EXAMPLES = `
Format onnx writes policy.onnx, in standard operators, and contract.json: order and units of the observation, joint
order, what an action means in radians, rate. Format json writes both into one policy.json, for a runtime without an
ONNX library. Either way the ONNX network is run in ONNX Runtime against Reverie's own inference first.

What is not exported is the safety kernel: whoever runs the policy elsewhere needs limits of their own.

Examples:
  reverie export runs/walk-quadruped-1/policy --out exported
  reverie export arm-reach --out exported --format json`;

export function exportCommand(): Command {
  return new Command('export')
    .description("write a policy for somebody else's runtime, checked against our own")
    .argument('<policy>', 'folder of a policy bundle, or name of a shipped one')
    .requiredOption('--out <folder>', 'where to write; made if it is not there')
    .addOption(new Option('--format <format>', 'what to write').choices(['onnx', 'json']).default('onnx'))
    .option('--json', 'print one JSON object instead of a table')
    .addHelpText('after', EXAMPLES)
    .action(exportPolicy);
}

async function exportPolicy(given: string, { out, format, json }: ExportOptions): Promise<void> {
  const bundle = readBundle(given);
  const difference = await differenceToOnnxRuntime(bundle);
  // Written so that NaN does not pass.
  if (!(difference <= TOLERANCE))
    throw new UserError(
      `${bundle.path}: ONNX Runtime's actions differ from ours by up to ${difference}, allowed is ${TOLERANCE}; not exported`,
    );
  const folder = resolve(out);
  const contract = contractOf(bundle.manifest);
  const pretty = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;
  const contents: Record<string, string | Uint8Array> =
    format === 'onnx'
      ? { 'policy.onnx': bundle.onnx, 'contract.json': pretty(contract) }
      : { 'policy.json': JSON.stringify({ contract, network: decodeModel(bundle.onnx) }, tensorsAsLists) };
  const files = Object.keys(contents).map((name) => join(folder, name));
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, data] of Object.entries(contents)) writeFileAtomic(join(folder, name), data);
  } catch (error) {
    throw new UserError(`--out ${out}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
  if (json)
    printJson({
      policy: bundle.manifest.name,
      format,
      files,
      observations: TRIALS,
      max_difference: difference,
    });
  else
    printTable([
      ...files.map((file) => ['wrote', file]),
      [
        'checked',
        `${TRIALS} random observations: largest difference to ONNX Runtime ${difference.toExponential(1)}`,
      ],
    ]);
}

/** The largest difference between ONNX Runtime's actions and those of our own inference, over one episode. */
async function differenceToOnnxRuntime(bundle: Bundle): Promise<number> {
  const policy = loadPolicy(bundle);
  const { input, outputs, state, previous_action, imagination } = bundle.manifest.network;
  const session = await ort.InferenceSession.create(bundle.onnx, { intraOpNumThreads: 1 });
  const random = new Random(0);
  const observation = new Float32Array(policy.observationSize);
  const action = new Float32Array(policy.actionSize);
  const row = (values: Float32Array) => new ort.Tensor('float32', values.slice(), [1, values.length]);
  const held: Record<string, Float32Array> = Object.fromEntries(
    state.map((s) => [s.input, new Float32Array(s.size)]),
  );
  if (previous_action) held[previous_action] = new Float32Array(policy.actionSize);
  if (imagination) held[imagination.input] = Float32Array.of(1);
  let worst = 0;
  try {
    for (let trial = 0; trial < TRIALS; trial++) {
      random.fillNormal(observation);
      policy.act(observation, action);
      const fed = Object.entries({ ...held, [input]: observation });
      const expected = await session.run(Object.fromEntries(fed.map(([name, v]) => [name, row(v)])));
      const values = expected[outputs.action].data as Float32Array;
      for (let i = 0; i < action.length; i++) {
        const difference = Math.abs(action[i] - values[i]);
        if (!(difference <= worst)) worst = difference;
      }
      for (const s of state) held[s.input] = expected[s.output].data as Float32Array;
      if (previous_action) held[previous_action] = action.slice();
    }
  } finally {
    await session.release();
  }
  return worst;
}
