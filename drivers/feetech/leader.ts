import { UserError } from '../../src/base/errors.js';
import type { BusOf } from '../../src/robot/busSpec.js';
import type { Robot } from '../../src/robot/load.js';
import { ofCount_rad } from '../bus/encoder.js';
import { CYCLE_ANSWER_MS } from '../bus/exchange.js';
import { FeetechBus } from './bus.js';
import { syncRead } from './codec.js';
import { Register } from './registers.js';

const RATE_HZ = 100;
/** The line counts as lost, and is opened anew, after so many cycles that not everybody answered. */
const SILENT_CYCLES = 20;

/**
 * A leader arm: servos without torque that a person moves by hand, read joint by joint. While a servo
 * is silent nothing is reported at all, so that whoever follows holds.
 */
export class FeetechLeader {
  /** Told of every whole sample: joint positions in the order of the leader's `robot.yaml`, rad. */
  onSample: (q_rad: Float64Array) => void = () => {};
  private readonly q_rad: Float64Array;
  private running = true;
  private readonly finished: Promise<void>;

  private constructor(
    private readonly robot: Robot,
    private readonly bus: BusOf<'feetech'>,
    private readonly servos: FeetechBus,
  ) {
    this.q_rad = new Float64Array(robot.spec.joints.length);
    this.finished = this.run();
  }

  /**
   * Opens the port and takes the torque off every servo.
   * @throws UserError where the robot has no bus, the port does not open or a servo does not answer
   */
  static async open(robot: Robot, port: string): Promise<FeetechLeader> {
    const bus = robot.spec.bus?.find((b) => b.protocol === 'feetech');
    if (!bus) throw new UserError(`${robot.path}: has no bus of Feetech servos, so it is no leader arm`);
    const servos = await FeetechBus.open(port, bus.baud);
    for (const [joint, { id }] of Object.entries(bus.joints)) {
      if (await servos.write(id, Register.torque, [0])) continue;
      await servos.wire.close();
      throw new UserError(
        `${port}, id ${id} (${joint} of the leader) does not answer; \`reverie bus scan ${port}\` shows who does`,
      );
    }
    servos.patience_ms = CYCLE_ANSWER_MS;
    return new FeetechLeader(robot, bus, servos);
  }

  async close(): Promise<void> {
    this.running = false;
    await this.finished;
    await this.servos.wire.close();
  }

  private async run(): Promise<void> {
    const drives = this.robot.spec.joints.map((joint) => this.bus.joints[joint.name]);
    const ids = drives.map((drive) => drive.id);
    const question = syncRead(ids, Register.position, 2);
    let silent = 0;
    while (this.running) {
      const next = new Promise((resolve) => setTimeout(resolve, 1e3 / RATE_HZ));
      const answers = await this.servos.askAll(question, ids, 2);
      if (answers.size === ids.length) {
        drives.forEach((drive, j) => {
          const [low, high] = answers.get(drive.id)!.params;
          this.q_rad[j] = ofCount_rad(low | (high << 8), drive);
        });
        silent = 0;
        this.onSample(this.q_rad);
      } else if (++silent % SILENT_CYCLES === 0) await this.servos.wire.reopen();
      await next;
    }
  }
}
