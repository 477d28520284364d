import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.js';
import { DriveMode } from '../../src/robot/state.js';
import { Bench, buses, until } from './support.js';

/** Those of an arm at rest, and some way off. */
const pose = [0.4, -0.8, 0.9, 0.4, -0.5, 0.6];
/** What a wire's numbers are coarse by, and a clock-work of two milliseconds late. */
const NEAR_RAD = 0.01;
const isNear = (a: readonly number[], b: readonly number[]) =>
  a.every((x, i) => Math.abs(x - b[i]) < NEAR_RAD);

// Everything waits for what has to come, however busy the machine.
// A machine that stalls for longer than a drive's watchdog stops the robot, as it must: the case is then tried again.
describe.each(Object.keys(buses))('drives of %s', (family) => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.of(family);
  });
  afterEach(() => bench.close());
  /** Goes for the pose until that has come true; anew where a stall of the machine made a drive let go, which then waits for its operator's reset. */
  const follow = async (arrived: () => boolean) => {
    for (let returned = -1; returned !== bench.count('returned'); ) {
      returned = bench.count('returned');
      bench.command.mode = DriveMode.off;
      bench.work();
      await until(() => bench.drives.every((d) => d.loop === undefined));
      bench.track(pose);
      await until(() => bench.count('returned') > returned || arrived());
    }
  };
  const hasGoal = () => isNear(bench.goals_rad(), pose);
  const start = async () => {
    await bench.driver.configure();
    await bench.driver.activate();
    await follow(() => bench.samples > 0 && hasGoal());
  };

  it('have no torque until activated, hold still then, follow, brake and let go', async () => {
    await bench.driver.configure();
    expect(bench.drives.every((d) => d.loop === undefined)).toBe(true);
    await bench.driver.activate();
    // Those that a stall made let go hold again by themselves.
    await until(() => bench.drives.every((d) => d.loop));
    bench.goals_rad().forEach((goal, j) => {
      expect(Math.abs(goal - bench.emulated.position_rad(j))).toBeLessThan(0.15);
    });
    await follow(() => pose.every((q, j) => Math.abs(bench.state.position_rad[j] - q) < 0.15));
    bench.command.mode = DriveMode.damp;
    // No spring any more: a servo of positions lets its goal follow the joint instead.
    await until(() => bench.drives.every(({ loop }) => loop && (loop.kp_nm_rad === 0 || !hasGoal())));
    bench.command.mode = DriveMode.off;
    await until(() => bench.drives.every((d) => d.loop === undefined));
    await follow(hasGoal);
  });

  it('brake when commands cease', async () => {
    await start();
    bench.rest();
    await until(() => bench.driver.watchdogTrips >= bench.parts.length);
    await until(() => bench.drives.every(({ loop }) => !loop || loop.kp_nm_rad === 0 || !hasGoal()));
  });

  it('lose answers on a noisy wire, which are counted, and do nothing but what was asked', async () => {
    await start();
    for (const port of bench.emulated.ports)
      Object.assign(port.faults, { flip: 0.03, truncate: 0.02, merge: 0.02 });
    const before = bench.count('silent');
    let wild = 0;
    const watch = setInterval(() => {
      // Neither what was asked nor near where the joint is, which is where brakes and holds are.
      bench.goals_rad().forEach((goal, j) => {
        const asked = Math.abs(goal - pose[j]) < NEAR_RAD;
        if (Number.isFinite(goal) && !asked && Math.abs(goal - bench.emulated.position_rad(j)) > 0.3) wild++;
      });
    }, 1);
    await until(() => bench.count('silent') - before >= 20);
    clearInterval(watch);
    expect(wild).toBe(0);
  });

  it('hold their position when they come back from a loss of power, whatever is asked', async () => {
    await start();
    const silent = bench.count('silent');
    bench.drives[2].power(false);
    await until(() => bench.count('silent') - silent > 3);
    bench.track(pose.map((q, j) => (j === 2 ? -1 : q)));
    bench.drives[2].power(true);
    await until(() => bench.count('returned') > 0 && bench.drives[2].loop !== undefined);
    const [held] = bench.goals_rad().slice(2);
    expect(Math.abs(held - bench.emulated.position_rad(2))).toBeLessThan(0.3);
    const cycles = bench.count('cycles');
    await until(() => bench.count('cycles') > cycles + 20 * bench.parts.length);
    // It never sets out for what was asked meanwhile, −1.
    expect(bench.goals_rad()[2]).toBeGreaterThan(-0.5);
  });

  it('come back from an unplugged adapter', async () => {
    await start();
    const [port] = bench.emulated.ports;
    const silent = bench.count('silent');
    port.unplug();
    await until(() => bench.count('silent') - silent > 4);
    port.plug();
    const { samples } = bench;
    // Drives with a watchdog have let go by then: the kernel, which sees sensing lost, brakes first.
    bench.command.mode = DriveMode.damp;
    await until(() => bench.samples > samples + 5);
    expect(
      bench.drives.every(
        ({ loop }) => !loop || loop.kp_nm_rad === 0 || !isNear(bench.goals_rad(), [9, 9, 9, 9, 9, 9]),
      ),
    ).toBe(true);
  });

  it('give no samples to track by once one has switched itself off', async () => {
    await start();
    bench.drives[1].overload();
    await until(() => bench.count('refused') > 0);
    expect(bench.drives[1].loop).toBeUndefined();
    const part = bench.parts.find((p) => p.drives.some((d) => d.index === 1))!;
    const cycles = part.counts.cycles;
    await until(() => bench.state.time_s > 0 && part.counts.cycles > cycles + 5);
    const { time_s } = bench.state;
    await until(() => part.counts.cycles > cycles + 15);
    // A sample is as old as its oldest part.
    expect(bench.state.time_s).toBe(time_s);
  });

  if (family !== 'feetech')
    it('stop by themselves when nobody speaks to them', async () => {
      await start();
      for (const port of bench.emulated.ports) port.unplug();
      // Let go, brake, or stay where they are: not what was asked last, for ever.
      bench.emulated.place(1);
      await until(() =>
        bench.drives.every(
          ({ loop }, j) =>
            !loop ||
            loop.kp_nm_rad === 0 ||
            Math.abs(bench.goals_rad()[j] - bench.emulated.position_rad(j)) < NEAR_RAD,
        ),
      );
    });

  it('are refused where one is missing, by port, id and what to try', async () => {
    bench.drives[3].power(false);
    const error = await bench.driver.configure().then(
      () => undefined,
      (e: Error) => e,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error!.message).toMatch(
      /port-\w+, id \d \(wrist_flex\).*(does not answer|no answer).*(reverie bus scan|powered)/,
    );
  });
});
