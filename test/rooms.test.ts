import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../src/base/files.js';

/**
 * The rooms of the house and what each may import: the one table, which ARCHITECTURE.md explains.
 * `src/base` and `src/onnx` know nothing of the project, so every room may import them.
 */
const everywhere = ['src/base', 'src/onnx'];
const rooms: Record<string, readonly string[] | 'all'> = {
  'src/base': [],
  'src/onnx': ['src/base'],
  'src/robot': [],
  'src/safety': ['src/robot'],
  'src/control': ['src/robot', 'src/safety', 'src/policy', 'src/tasks', 'src/streams'],
  'src/streams': ['src/robot'],
  'src/reset': ['src/robot', 'src/safety', 'src/control', 'src/policy', 'src/tasks'],
  'src/tasks': ['src/robot'],
  'src/recording': ['src/robot', 'src/control', 'src/safety', 'src/tasks', 'src/ros', 'src/datasets'],
  'src/datasets': ['src/robot', 'src/tasks'],
  'src/kernels': [],
  'src/tensor': ['src/kernels'],
  'src/learn': ['src/tensor', 'src/tasks', 'src/robot', 'src/policy'],
  'src/policy': ['src/robot', 'src/kernels'],
  'src/fleet': ['src/robot', 'src/policy'],
  'src/ros': ['src/robot', 'src/control', 'src/safety', 'src/teleop'],
  'src/launch': ['src/robot', 'src/policy', 'src/tasks'],
  'src/teleop': ['src/robot', 'src/safety', 'src/control'],
  'src/dashboard': ['src/robot', 'src/teleop', 'src/ros'],
  'src/cli': 'all',
  // Measures everything, through what the command line asks of it.
  bench: [
    'src/robot',
    'src/safety',
    'src/control',
    'src/tasks',
    'src/kernels',
    'src/tensor',
    'src/learn',
    'src/policy',
    'src/fleet',
    'src/recording',
    'src/reset',
    'src/ros',
    'sim',
    'drivers',
  ],
  // A driver knows the robot alone; an emulator may stand on the simulator.
  drivers: ['src/robot', 'sim'],
  sim: [
    'src/datasets',
    'src/robot',
    'src/control',
    'src/safety',
    'src/reset',
    'src/tasks',
    'src/policy',
    'src/learn',
  ],
};

/** Files with stricter rules than their room: what must not be reached from them, however far round. */
const unreachable: Record<string, RegExp> = {
  'src/control/controlWorker.ts':
    /^(src\/(learn|tensor|streams|fleet|cli)\/|sim\/|rxjs|mqtt|onnxruntime-node)/,
  'src/safety/kernel.ts': /^(node:(fs|net|http|child_process|worker_threads)|rxjs|mqtt|yaml)/,
};

function sourcesIn(folder: string): string[] {
  if (!existsSync(join(packageRoot, folder))) return [];
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

interface Import {
  /** A source of the project, relative to its folder, or the name of a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

/** What a source file imports or starts as a worker. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(packageRoot, file), 'utf8');
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean) => {
    const local = /^\.{1,2}\//.test(specifier);
    const path = relative(packageRoot, resolve(packageRoot, dirname(file), specifier));
    found.push({ to: local ? path.replace(/\.js$/, '.ts') : specifier, typeOnly });
  };
  for (const [, keyword, specifier] of text.matchAll(
    /^(import type|export type|import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]/gm,
  ))
    add(specifier, keyword.endsWith('type'));
  for (const [, specifier] of text.matchAll(/^import\s+['"]([^'"]+)['"]/gm)) add(specifier, false);
  for (const [, specifier] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) add(specifier, false);
  for (const [, specifier] of text.matchAll(/new URL\(\s*['"]([^'"]+\.js)['"]/g)) add(specifier, false);
  return found;
}

function roomOf(file: string): string | undefined {
  return Object.keys(rooms).find((room) => file.startsWith(`${room}/`));
}

describe('the rooms', () => {
  it('hold every source of the product', () => {
    const strangers = ['src', 'sim', 'drivers', 'bench']
      .flatMap(sourcesIn)
      .filter((file) => roomOf(file) === undefined);
    expect(strangers).toEqual([]);
  });

  it('import only what their row of the table allows', () => {
    const faults: string[] = [];
    let imports = 0;
    for (const [room, allowed] of Object.entries(rooms)) {
      if (allowed === 'all') continue;
      for (const file of sourcesIn(room)) {
        for (const { to } of importsOf(file)) {
          const other = roomOf(to);
          if (other === undefined || other === room) continue;
          imports++;
          if (!allowed.includes(other) && !(everywhere.includes(other) && room !== 'src/base'))
            faults.push(`${file} imports ${to}`);
        }
      }
    }
    expect(faults).toEqual([]);
    // The lines that were looked for are the lines that sources have.
    expect(imports).toBeGreaterThan(50);
  });

  it.each(Object.entries(unreachable))('%s reaches nothing that could keep it waiting', (from, forbidden) => {
    expect(statSync(join(packageRoot, from)).isFile()).toBe(true);
    const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
    const faults: string[] = [];
    for (const file of cameFrom.keys()) {
      for (const { to, typeOnly } of importsOf(file)) {
        if (typeOnly) continue;
        if (forbidden.test(to)) faults.push(`${to} by way of ${wayTo(file, cameFrom)}`);
        if (!cameFrom.has(to) && existsSync(join(packageRoot, to))) cameFrom.set(to, file);
      }
    }
    expect(faults).toEqual([]);
    expect(cameFrom.size).toBeGreaterThan(3);
  });
});

function wayTo(file: string, cameFrom: ReadonlyMap<string, string | undefined>): string {
  const before = cameFrom.get(file);
  return before === undefined ? file : `${wayTo(before, cameFrom)} → ${file}`;
}
