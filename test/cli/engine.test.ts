import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { enginesAbsent } from '../tensor/engines.js';
import { reverie } from './support.js';

const [absent] = enginesAbsent;

test.runIf(absent).each([
  ['train', ['train', 'walk', '--fresh', '--out']],
  ['run', ['run', 'quadruped.sim', '--seconds', '1', '--training-run']],
])(
  '%s with an engine that is not there ends with what would install it, and nothing is lost',
  async (_, args) => {
    const folder = join(tmpdir(), `reverie-engine-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const kept = join(folder, 'checkpoint.bin');
    writeFileSync(kept, 'of an earlier run');
    const { code, stdout, stderr } = await reverie([...args, folder, '--engine', absent.name]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `reverie: engine "${absent.name}" is not there: ${absent.found}; would help: ${absent.help}\n`,
    );
    expect(readFileSync(kept, 'utf8')).toBe('of an earlier run');
  },
);
