/**
 * Does the fault campaign find a safety function that is gone? Switches off one after the other in a copy
 * of the compiled code, and runs a campaign in it until the first violation.
 *
 *     node dist/bench/mutations/main.js [--only WORD,WORD] [--faults 400] [--seed 1] [--json]
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/base/files.js';
import { type Mutation, mutate, mutations } from './mutations.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    faults: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

interface Outcome {
  readonly mutation: string;
  readonly found: boolean;
  /** Until it was found, or in all. */
  readonly faults: number;
  readonly by: string;
}

/** A package whose code is a copy, and whose everything else is ours. */
function testBuild(): string {
  const folder = mkdtempSync(join(tmpdir(), 'reverie-mutation-'));
  for (const entry of readdirSync(packageRoot))
    if (entry === 'dist') cpSync(join(packageRoot, entry), join(folder, entry), { recursive: true });
    else if (!entry.startsWith('.')) symlinkSync(join(packageRoot, entry), join(folder, entry));
  return folder;
}

function campaign(folder: string): { code: number | null; out: string; err: string } {
  const main = join(folder, 'dist/src/cli/main.js');
  const args = ['safety', 'campaign', '--faults', values.faults, '--seed', values.seed];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--preserve-symlinks', '--preserve-symlinks-main', main, ...args, '--fail-fast', '--json'],
    { encoding: 'utf8' },
  );
  return { code: status, out: stdout, err: stderr };
}

function tryOne(folder: string, mutation: Mutation): Outcome {
  const path = join(folder, 'dist', mutation.file);
  const sound = readFileSync(path, 'utf8');
  writeFileSync(path, mutate(sound, mutation));
  try {
    const { code, out, err } = campaign(folder);
    if (code !== 0 && code !== 1) throw new Error(`the campaign did not run: ${err}`);
    const { faults } = JSON.parse(out.trim().split('\n').at(-1)!) as { faults: number };
    return { mutation: mutation.name, found: code === 1, faults, by: err.trim().split('\n').at(-1) ?? '' };
  } finally {
    writeFileSync(path, sound);
  }
}

const folder = testBuild();
const outcomes: Outcome[] = [];
try {
  const sound = campaign(folder);
  if (sound.code !== 0) throw new Error(`the code as it is does not pass: ${sound.err}`);
  const words = values.only.split(',');
  for (const mutation of mutations.filter(({ name }) => words.some((word) => name.includes(word)))) {
    const outcome = tryOne(folder, mutation);
    outcomes.push(outcome);
    const { found, faults, by } = outcome;
    process.stderr.write(`${found ? 'found ' : 'MISSED'}  ${mutation.name}, after ${faults} faults  ${by}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const missed = outcomes.filter(({ found }) => !found).map(({ mutation }) => mutation);
const report = { mutations: outcomes.length, found: outcomes.length - missed.length, missed };
process.stdout.write(
  `${values.json ? JSON.stringify(report) : `${report.found} of ${report.mutations} found`}\n`,
);
process.exitCode = missed.length > 0 ? 1 : 0;
