import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/files.js';
import { lastJson, reverie, untrainedBundle } from '../cli/support.js';
import { patientRobot } from '../patientRobot.js';

let folder: string;
let port: string;
let emulator: ChildProcess;

/** However busy the machine: what answers has answered by then. */
const patient = ['--wait', '1500'];

/** The first line that a child prints. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.on('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bus-'));
  emulator = spawn(
    process.execPath,
    [join(packageRoot, 'bin/reverie.js'), 'emulate', 'arm', '--link', join(folder, 'arm'), '--json'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const { ports } = JSON.parse(await firstLine(emulator));
  port = ports.servos;
});

afterAll(async () => {
  const ended = new Promise((resolve) => emulator.once('exit', resolve));
  emulator.kill('SIGTERM');
  expect(await ended).toBe(0);
  // The name goes with the hardware.
  expect(existsSync(port)).toBe(false);
  rmSync(folder, { recursive: true });
});

describe('reverie bus, on emulated servos', () => {
  it('finds who is there', async () => {
    expect(port).toBe(join(folder, 'arm-servos'));
    const found = lastJson(await reverie(['bus', 'scan', port, '--ids', '1-7', '--json', ...patient]));
    expect(found).toEqual([1, 2, 3, 4, 5, 6].map((id) => ({ port, id, model: 777, firmware: '3.9' })));
  });

  it('gives a servo another id, but none that is taken', async () => {
    const taken = await reverie(['bus', 'set-id', port, '1', '2', ...patient]);
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringMatching(/id 2: is taken/) });
    const absent = await reverie(['bus', 'set-id', port, '77', '78', ...patient]);
    expect(absent).toMatchObject({ code: 2, stderr: expect.stringMatching(/id 77 does not answer/) });
    expect(await reverie(['bus', 'set-id', port, '6', '60', ...patient])).toMatchObject({ code: 0 });
    const found = await reverie(['bus', 'scan', port, '--ids', '6,60', '--json', ...patient]);
    expect(lastJson(found)).toMatchObject([{ id: 60 }]);
    expect(await reverie(['bus', 'set-id', port, '60', '6', ...patient])).toMatchObject({ code: 0 });
  });

  it('measures full cycles, and says what a real wire would allow', async () => {
    const result = lastJson(
      await reverie(['bus', 'bench', port, '--ids', '1-6', '--cycles', '200', '--json', ...patient]),
    );
    expect(result).toMatchObject({ drives: 6, cycle_bits: 1660, errors: 0, wire_limit_hz: 406.504 });
    expect(result.cycle_hz).toBeGreaterThan(0);
  });

  it('shows what servos measure', async () => {
    const rows = lastJson(
      await reverie(['bus', 'monitor', port, '--ids', '1-2', '--times', '1', '--json', ...patient]),
    );
    expect(rows).toMatchObject([
      { id: 1, voltage_v: 12 },
      { id: 2, fault: null },
    ]);
  });
});

describe('reverie run, on an emulated serial arm', () => {
  it('runs a policy through the driver and stops it', async () => {
    // A machine that stalls the emulator for a quarter of a second has the sensor watchdog latch, and rightly,
    // before the first step where it comes early. What that watchdog does is tested elsewhere: here it waits.
    const robot = patientRobot('arm', folder);
    const bundle = join(folder, 'policy');
    untrainedBundle(bundle, 'arm', 'reach');
    const launch = join(folder, 'arm.serial.yaml');
    writeFileSync(
      launch,
      `robot: ${robot}\ndriver: { kind: serial, ports: { servos: ${port} } }\ntask: reach\nruns: ${folder}/runs\n`,
    );
    const outcome = await reverie(['run', launch, '--policy', bundle, '--seconds', '9', '--json']);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(lastJson(outcome).transitions).toBeGreaterThan(0);
  });

  it('says what is missing where the port is not there', async () => {
    const launch = join(folder, 'no.yaml');
    writeFileSync(
      launch,
      `robot: arm\ndriver: { kind: serial, ports: { servos: ${folder}/nowhere } }\ntask: reach\nruns: ${folder}/runs\n`,
    );
    const outcome = await reverie(['run', launch, '--seconds', '1']);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toMatch(/nowhere at 1000000 baud: No such file.*reverie emulate/);
  });
});
