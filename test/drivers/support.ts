import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BusDriver } from '../../drivers/bus/driver.js';
import type { EmulatedDrive } from '../../drivers/emulator/drive.js';
import { EmulatedRobot } from '../../drivers/emulator/robot.js';
import { RobotDriver } from '../../drivers/robotDriver.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { UserError } from '../../src/base/errors.js';
import { type BusSpec, busSchema } from '../../src/robot/busSpec.js';
import { loadRobot, type Robot } from '../../src/robot/load.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';

const arm = loadRobot('arm');
const names = arm.spec.joints.map((j) => j.name);
const numbered = (joints: readonly string[], first: number, more: object = {}) =>
  Object.fromEntries(joints.map((name, i) => [name, { id: first + i, ...more }]));
const bus = (value: object): BusSpec =>
  busSchema.parse({ name: 'drives', baud: 1_000_000, rate_hz: 100, ...value });

/** The arm's joints on drives of each family. */
export const buses: Readonly<Record<string, readonly BusSpec[]>> = {
  feetech: [
    bus({ protocol: 'feetech', joints: numbered(names, 1, { torque_nm_a: 1.1, stall_torque_nm: 2.94 }) }),
  ],
  dynamixel: [
    bus({
      protocol: 'dynamixel',
      fast: true,
      joints: numbered(names, 1, { torque_nm_a: 1.78, stall_torque_nm: 4.1 }),
    }),
  ],
  mitcan: [
    bus({
      protocol: 'mitcan',
      range: { position_rad: 12.5, velocity_rad_s: 30, torque_nm: 10 },
      // Turned round, geared and shifted: what the mapping has to undo.
      joints: numbered(names, 1, { sign: -1, gear_ratio: 2, offset_rad: 0.1 }),
    }),
  ],
  moteus: [bus({ protocol: 'moteus', joints: numbered(names, 1) })],
  odrive: [0, 2, 4].map((at) =>
    bus({
      name: `axes${at}`,
      protocol: 'odrive',
      baud: 921_600,
      joints: numbered(names.slice(at, at + 2), 0, { torque_nm_a: 0.5 }),
    }),
  ),
};

/** An arm emulated behind pseudo-terminals, its driver, and who tells it what to do, as a control worker would. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'drives-'));
  readonly emulated: EmulatedRobot;
  readonly driver: RobotDriver;
  readonly command: JointCommand;
  readonly state: RobotState;
  samples = 0;
  private worker: NodeJS.Timeout | undefined;

  private constructor(
    mj: Awaited<ReturnType<typeof loadMujoco>>,
    readonly robot: Robot,
  ) {
    const { spec, path } = robot;
    this.emulated = new EmulatedRobot(mj, robot, 1, join(this.folder, 'port'));
    const ports = Object.fromEntries(this.emulated.ports.map((p) => [p.name, p.path]));
    this.driver = new RobotDriver({ spec, path, ports });
    this.command = new JointCommand(spec.joints.length);
    this.state = RobotState.for(spec);
  }

  static async of(family: string): Promise<Bench> {
    return new Bench(await loadMujoco(), { ...arm, spec: { ...arm.spec, bus: [...buses[family]] } });
  }

  /** With torque. A machine that stalls for as long as all three attempts of a question take has it begun anew. */
  static async active(family: string): Promise<Bench> {
    for (;;) {
      const bench = await Bench.of(family);
      try {
        await bench.driver.configure();
        await bench.driver.activate();
        return bench;
      } catch (error) {
        await bench.close();
        if (!(error instanceof UserError)) throw error;
      }
    }
  }

  get parts(): readonly BusDriver[] {
    return this.driver.parts.filter((p) => p instanceof BusDriver);
  }

  get drives(): readonly EmulatedDrive[] {
    return this.emulated.drives;
  }

  /** Of all buses together. */
  count(what: keyof BusDriver['counts']): number {
    return this.parts.reduce((sum, part) => sum + part.counts[what], 0);
  }

  /** Where each drive's own loop goes to, at the joint; NaN without torque. */
  goals_rad(): number[] {
    return this.drives.map(({ loop, model: { map } }) =>
      loop ? (map.sign * loop.position_rad) / map.gear_ratio + map.offset_rad : Number.NaN,
    );
  }

  track(pose_rad: readonly number[]): void {
    const { command, robot } = this;
    command.mode = DriveMode.track;
    robot.spec.joints.forEach((joint, j) => {
      command.position_rad[j] = pose_rad[j];
      command.kp_nm_rad[j] = joint.kp_nm_rad;
      command.kd_nm_s_rad[j] = joint.kd_nm_s_rad;
    });
    this.work();
  }

  work(): void {
    clearInterval(this.worker);
    this.worker = setInterval(() => {
      this.driver.write(this.command);
      if (this.driver.read(this.state)) this.samples++;
    }, 2);
  }

  rest(): void {
    clearInterval(this.worker);
  }

  async close(): Promise<void> {
    this.rest();
    await this.driver.deactivate();
    await this.driver.close();
    await this.emulated.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Waits for what has to come; the test's own time-out ends it, where no limit does. */
export async function until(holds: () => boolean, limit_ms = Number.POSITIVE_INFINITY): Promise<void> {
  const end = performance.now() + limit_ms;
  while (!holds() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 2));
}
