import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearFaults, inject, parseFault } from '../../drivers/emulator/injection.js';
import { DriveMode } from '../../src/robot/state.js';
import { Bench, buses, until } from './support.js';

const pose = [0.4, -0.8, 0.9, 0.4, -0.5, 0.6];
const NEAR_RAD = 0.01;
/** Farther from where the joint is than any brake or hold, and not what was asked. */
const WILD_RAD = 0.3;
const COUNTED = 4;

/** A reset that does not come to anything by then is made again. */
const TRY_MS = 3000;

async function within(limit_ms: number, holds: () => boolean): Promise<boolean> {
  for (const end = Date.now() + limit_ms; !holds(); ) {
    if (Date.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return true;
}

/** A fault as `reverie emulate --fault` takes it, and whether any whole sample may come while it lasts. */
// An ODrive's answers say nothing of whose they are: there is no wrong id.
const faults: readonly (readonly [name: string, fault: string, samples: boolean])[] = [
  ['flipped bits', 'flip=0.1', true],
  ['truncated frames', 'truncate=0.1', true],
  ['merged frames', 'merge=0.1', true],
  ['slow answers', 'slow=40', false],
  ['the silence of one', 'silence=elbow_flex', false],
  ['the silence of all', 'silence=all', false],
  ['an answer under a wrong id', 'wrong-id=elbow_flex', false],
  ['two drives of one id', 'duplicate-id=elbow_flex', false],
  ['an unplugged adapter', 'unplug', false],
];

// A machine that stalls for longer than a drive's watchdog has it let go, as it must: `start` sets out again.
describe.each(Object.keys(buses))('on the wire of %s', (family) => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.active(family);
  });
  afterEach(() => bench.close());

  /** Off and on again, as an operator's reset does, until all go for the pose and samples come. */
  const start = async () => {
    const there = () => bench.goals_rad().every((goal, j) => Math.abs(goal - pose[j]) < NEAR_RAD);
    for (let goes = false; !goes; ) {
      bench.command.mode = DriveMode.off;
      bench.work();
      await within(TRY_MS, () => bench.drives.every((d) => d.loop === undefined));
      const { samples } = bench;
      bench.track(pose);
      goes = await within(TRY_MS, () => there() && bench.samples > samples);
    }
  };

  it.each(faults.filter(([, fault]) => family !== 'odrive' || !fault.startsWith('wrong-id')))(
    '%s: counted, nothing wild, and it goes on afterwards',
    async (name, fault, samples) => {
      await start();
      const before = bench.count('silent');
      const neighbour = bench.emulated.lineOf(bench.drives[2]).length > 1;
      let wild = 0;
      const watch = setInterval(() => {
        // Who answers to another's id is told what the other is told; that is for bring-up to find.
        if (fault.startsWith('duplicate-id')) return;
        bench.goals_rad().forEach((goal, j) => {
          const asked = Math.abs(goal - pose[j]) < NEAR_RAD;
          if (Number.isFinite(goal) && !asked && Math.abs(goal - bench.emulated.position_rad(j)) > WILD_RAD)
            wild++;
        });
      }, 1);
      for (const timer of inject(bench.emulated, parseFault(fault))) clearTimeout(timer);
      await until(() => bench.count('silent') >= before + COUNTED);
      if (!samples && (neighbour || !fault.startsWith('duplicate-id'))) {
        const { time_s } = bench.state;
        await until(() => bench.count('silent') >= before + 3 * COUNTED);
        // The sample is as old as the oldest part of it: the kernel sees that sensing is lost.
        expect(bench.state.time_s, name).toBe(time_s);
      }
      clearInterval(watch);
      expect(wild).toBe(0);
      clearFaults(bench.emulated);
      await start();
    },
  );
});
