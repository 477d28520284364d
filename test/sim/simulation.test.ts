import { beforeAll, describe, expect, it } from 'vitest';
import type { Mujoco } from '../../sim/mujoco.js';
import { Simulation, SimulationDiverged } from '../../sim/simulation.js';
import { loadRobot } from '../../src/robot/load.js';
import { mujoco } from './support.js';

const robot = loadRobot('quadruped');
let mj: Mujoco;
beforeAll(async () => {
  mj = await mujoco();
});

/** Steps under drive commands that differ from step to step. */
function shake(sim: Simulation, steps: number, from = 0): void {
  for (let t = from; t < from + steps; t++) {
    sim.data.ctrl.forEach((_, j, ctrl) => {
      ctrl[j] = Math.sin(0.07 * t + j);
    });
    sim.step();
  }
}

describe('Simulation', () => {
  it('goes on from a snapshot bit for bit, in itself and in another of the same model', () => {
    const sim = new Simulation(mj, robot);
    const other = new Simulation(mj, robot);
    // Drives with a gain, so that the commands matter; contacts come from the fall onto the floor.
    for (const s of [sim, other]) s.parameters.actuator_gainprm.fill(5);
    shake(sim, 300);
    const snapshot = sim.snapshot();
    shake(sim, 200, 300);
    const expected = sim.snapshot();

    sim.restore(snapshot);
    expect(sim.snapshot()).toEqual(snapshot);
    shake(sim, 200, 300);
    expect(sim.snapshot()).toEqual(expected);

    other.restore(snapshot);
    shake(other, 200, 300);
    expect(other.snapshot()).toEqual(expected);
    sim.close();
    other.close();
  });

  it.each(['qpos', 'qvel'] as const)(
    'notices a NaN in %s, which MuJoCo answers by a silent reset',
    (field) => {
      const sim = new Simulation(mj, robot);
      shake(sim, 10);
      expect(() => sim.checkWarnings()).not.toThrow();
      sim.data[field][8] = Number.NaN;
      sim.step();
      expect(() => sim.checkWarnings()).toThrow(SimulationDiverged);
      sim.reset();
      expect(() => sim.checkWarnings()).not.toThrow();
      sim.close();
    },
  );

  it('keeps its views of MuJoCo through a growth of the heap', () => {
    const sim = new Simulation(mj, robot);
    shake(sim, 5);
    const before = sim.data.qpos;
    const copy = Array.from(before);
    // More than is left of the heap, whatever that is.
    const hungry: { delete(): void }[] = [];
    while (before.length > 0) hungry.push(new mj.DoubleBuffer(4 * 1024 * 1024));
    expect(before.length).toBe(0);
    expect(Array.from(sim.data.qpos)).toEqual(copy);
    sim.data.qvel[0] = 1;
    const x = sim.data.qpos[0];
    sim.step();
    expect(sim.data.qpos[0]).toBeGreaterThan(x);
    expect(sim.parameters.geom_friction.length).toBeGreaterThan(0);
    for (const buffer of hungry) buffer.delete();
    sim.close();
  });

  it('frees what it made: the hundredth simulation needs no more memory than the tenth', () => {
    const heapAfter = (n: number) => {
      let bytes = 0;
      for (let k = 0; k < n; k++) {
        const sim = new Simulation(mj, robot);
        sim.step();
        bytes = sim.data.qpos.buffer.byteLength;
        sim.close();
      }
      return bytes;
    };
    const after = heapAfter(10);
    expect(heapAfter(90)).toBe(after);
  });

  it('cannot be used once closed', () => {
    const sim = new Simulation(mj, robot);
    sim.close();
    expect(() => sim.step()).toThrow();
  });

  it('names what a model does not have', () => {
    const sim = new Simulation(mj, robot);
    expect(() => sim.id('joint', 'tail')).toThrow('the model has no joint "tail"');
    sim.close();
  });
});
