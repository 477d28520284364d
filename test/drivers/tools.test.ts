import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toDrive_rad } from '../../drivers/bus/drive.js';
import { EmulatedRobot } from '../../drivers/emulator/robot.js';
import { idsOf, type Protocol, protocols, scan } from '../../drivers/tools/scan.js';
import type { Tool } from '../../drivers/tools/tool.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { UserError } from '../../src/base/errors.js';
import { loadRobot } from '../../src/robot/load.js';
import { buses } from './support.js';

/** A count of an encoder, or a bit of what is packed; and what an arm sinks meanwhile. */
const NEAR_RAD = 0.02;

describe.each(Object.keys(buses) as Protocol[])('bring-up of %s', (family) => {
  const arm = loadRobot('arm');
  const folder = mkdtempSync(join(tmpdir(), 'tools-'));
  const [bus] = buses[family];
  let emulated: EmulatedRobot;
  let tool: Tool;
  let ids: number[];

  beforeEach(async () => {
    const robot = { ...arm, spec: { ...arm.spec, bus: [...buses[family]] } };
    emulated = new EmulatedRobot(await loadMujoco(), robot, 1, join(folder, 'port'));
    emulated.hand([0.1, -0.5, 0.6, 0.4, -0.2, 0.5]);
    tool = await protocols[family].open(emulated.ports[0].path, bus.baud);
    // Who is not there is waited for, on a machine that may be busy.
    tool.patience_ms = 100;
    ids = line().map((drive) => drive.id);
  });
  afterEach(async () => {
    await tool.close();
    await emulated.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  /** The drives of the first port. */
  const line = () => emulated.lineOf(emulated.drives[0]);

  it('finds those that are there, and nobody else', async () => {
    const found = await scan(tool, idsOf(family).slice(0, 10));
    expect(found.map((f) => f.id)).toEqual(ids);
    for (const { port, model, firmware } of found) {
      expect(port).toBe(emulated.ports[0].path);
      expect(model).toBeGreaterThan(0);
      expect(firmware).not.toContain('?');
    }
  });

  it('measures where each shaft is, without giving it torque', async () => {
    const measured = await tool.measure(ids);
    expect([...measured.keys()]).toEqual(ids);
    line().forEach(({ id, model }) => {
      const q = emulated.position_rad(arm.spec.joints.indexOf(model.joint));
      const { position_rad, fault } = measured.get(id)!;
      expect(Math.abs(position_rad - toDrive_rad(q, model.map))).toBeLessThan(
        NEAR_RAD * model.map.gear_ratio,
      );
      expect(fault).toBeNull();
    });
    expect(await tool.cycle(ids)).toEqual(new Set(ids));
    expect(await tool.cycle(ids)).toEqual(new Set(ids));
    expect(line().every((drive) => drive.loop === undefined)).toBe(true);
    line()[0].silent = true;
    expect((await tool.measure(ids)).has(ids[0])).toBe(false);
    expect(await tool.cycle(ids)).toEqual(new Set(ids.slice(1)));
  });

  it('says what made a drive give up', async () => {
    await tool.measure(ids);
    line()[0].overload();
    const { fault } = (await tool.measure(ids)).get(ids[0])!;
    // An axis without torque has nothing to give up.
    if (family !== 'odrive') expect(fault).not.toBeNull();
  });

  it('gives a drive another id, or says how that is done', async () => {
    const [first] = line();
    const from = first.id;
    if (family === 'moteus' || family === 'odrive') {
      await expect(tool.setId(from, 9)).rejects.toThrow(UserError);
      await expect(tool.setId(from, 9)).rejects.toThrow(`id ${from}`);
      return;
    }
    await tool.setId(from, 9);
    expect(first.id).toBe(9);
    expect(await tool.identify(from)).toBeUndefined();
    expect(await tool.identify(9)).toBeDefined();
    // Nobody is there any more: an error that names port and id, and nothing is changed.
    await expect(tool.setId(from, 10)).rejects.toThrow(`id ${from}`);
    await tool.setId(9, from);
    expect(first.id).toBe(from);
  });

  it('writes the limits that a drive keeps itself, or says that it has none', async () => {
    const [first] = line();
    if (family !== 'feetech' && family !== 'dynamixel') {
      await expect(tool.setLimits(first.id, [-1, 1])).rejects.toThrow(`id ${first.id}`);
      return;
    }
    await tool.setLimits(first.id, [-1, 0.5]);
    const { memory } = first as unknown as { readonly memory: Uint8Array };
    const at = (address: number) => memory[address] | (memory[address + 1] << 8);
    const [least, most] = family === 'feetech' ? [at(9), at(11)] : [at(52), at(48)];
    expect([least, most]).toEqual([2048 - 652, 2048 + 326]);
    first.silent = true;
    await expect(tool.setLimits(first.id, [-1, 1])).rejects.toThrow(/id \d+, register \d+/);
  });
});
