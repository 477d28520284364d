import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { commands } from '../../src/cli/commands.js';
import { engineNames } from '../../src/tensor/engineNames.js';
import { lastJson, reverie } from './support.js';

describe('reverie', () => {
  it('prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    expect(await reverie(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('lists every command in its help, with examples', async () => {
    const { code, stdout } = await reverie(['--help']);
    expect(code).toBe(0);
    for (const name of Object.keys(commands)) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    expect(stdout).toMatch(/Examples:/);
  });

  it.each(Object.keys(commands))(
    '%s has help with examples, under its own name, and --json where it ends with a result',
    async (name) => {
      expect((await commands[name]()).name()).toBe(name);
      const { code, stdout, stderr } = await reverie([name, '--help']);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toMatch(/Examples:/);
      // A learner on its own goes on until it is told to stop; what `ros` builds has no result to tell.
      expect(/--json/.test(stdout)).toBe(!['learn', 'ros'].includes(name));
    },
  );

  const mistakes: [string, string[], RegExp][] = [
    ['nothing', [], /Usage: reverie/],
    ['an unknown command', ['fly'], /unknown command 'fly'/],
    ['an unknown option', ['doctor', '--fast'], /unknown option '--fast'/],
    ['a missing argument', ['eval'], /missing required argument 'policy'/],
    [
      'a number that is none',
      ['eval', 'x', '--episodes', '0'],
      /--episodes <n>' argument '0' is invalid\. Expected a whole/,
    ],
    [
      'an engine that there is none of',
      ['train', 'walk', '--engine', 'abacus'],
      /--engine <name>' argument 'abacus' is invalid\. Allowed choices are auto, native, /,
    ],
    ['a policy that is not there', ['eval', 'nobody'], /^reverie: no policy "nobody"; looked for\n/],
  ];

  it.each(mistakes)('answers %s with one message and exit code 2', async (_what, args, expected) => {
    const { code, stdout, stderr } = await reverie(args);
    expect(stdout).toBe('');
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(code).toBe(2);
  });
});

describe('reverie doctor', () => {
  it('finds every required part here, and says so', async () => {
    const { code, stdout } = await reverie(['doctor']);
    expect(stdout).toMatch(/Every required part works/);
    expect(code).toBe(0);
  });

  it('tells a machine the same in one object', async () => {
    const outcome = await reverie(['doctor', '--json'], { ROS_DISTRO: '', AMENT_PREFIX_PATH: '' });
    const report = lastJson(outcome) as {
      ok: boolean;
      parts: { part: string; required: boolean; works: boolean; help?: string; engine?: string }[];
    };
    expect(report.ok).toBe(true);
    const byName = new Map(report.parts.map((p) => [p.part, p]));
    for (const part of ['Node.js', 'engine onnx', 'MuJoCo', 'robots/', 'policies/', 'launch/'])
      expect(byName.get(part)).toMatchObject({ required: true, works: true });
    expect(byName.get('ROS 2 (rclnodejs)')).toMatchObject({ required: false, works: false });
    expect(byName.get('engine tfjs')).toMatchObject({ required: false, works: true, engine: 'tfjs' });
    expect(report.parts.flatMap((p) => p.engine ?? [])).toEqual([...engineNames]);
    for (const p of report.parts) if (!p.works) expect(p.help).toBeTruthy();
  });
});
