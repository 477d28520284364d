import type { RobotProcess } from '../control/robotProcess.js';
import type { Launch } from '../launch/launch.js';
import { readBundle } from '../policy/bundle.js';
import { HardwareNode } from '../ros/nodes/hardware.js';
import { LearnerNode } from '../ros/nodes/learner.js';
import { PolicyNode } from '../ros/nodes/policy.js';
import { SafetyNode } from '../ros/nodes/safety.js';
import { SimNode } from '../ros/nodes/sim.js';
import { StampClock } from '../ros/time.js';
import { openTransport } from '../ros/transport/open.js';
import type { Transport } from '../ros/transport/transport.js';

/** The nodes of a run, on the transport that its launch file or the command line names. */
export class RosNodes {
  private constructor(
    private readonly transport: Transport,
    private readonly hardware: HardwareNode,
    private readonly policy: PolicyNode,
    private readonly learner: LearnerNode | undefined,
    private readonly others: readonly { close(): void }[],
  ) {}

  /** @returns nothing where no transport is named @throws UserError where that transport is not there */
  static open(launch: Launch, robot: RobotProcess, onNotice: (line: string) => void): RosNodes | undefined {
    const { ros } = launch;
    if (ros.transport === 'none') return undefined;
    const { domain, interface: network, namespace, remap, rate_hz } = ros;
    const transport = openTransport(ros.transport, { domain, interface: network, onNotice });
    const simulated = launch.driver.kind === 'sim';
    const useSimTime = ros.use_sim_time && simulated;
    const clock = useSimTime ? new StampClock(0) : new StampClock();
    const common = { transport, namespace, remap, onNotice };
    const select = (name: string) => robot.setPolicy(readBundle(name));
    return new RosNodes(
      transport,
      new HardwareNode({ ...common, robot, clock, useSimTime, rate_hz }),
      new PolicyNode({ ...common, robot, select }),
      launch.learner.enabled ? new LearnerNode(common) : undefined,
      [
        new SafetyNode({ ...common, robot, clock }),
        ...(simulated ? [new SimNode({ ...common, robot, clock })] : []),
      ],
    );
  }

  /** Brings the managed nodes up, once the robot is armed. */
  async activate(): Promise<void> {
    for (const { lifecycle } of [this.hardware, this.policy])
      if (!(await lifecycle.to('configure')) || !(await lifecycle.to('activate')))
        throw new Error('a ROS 2 node did not come up');
  }

  showLearner(figures: object): void {
    this.learner?.show(figures);
  }

  /** After the robot has stopped: others see that to the end. */
  async close(): Promise<void> {
    for (const node of [this.hardware, this.policy, ...this.others]) node.close();
    this.learner?.close();
    await this.transport.close();
  }
}
