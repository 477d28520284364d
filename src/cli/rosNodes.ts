import { UserError } from '../base/errors.js';
import type { RobotProcess } from '../control/robotProcess.js';
import type { Launch } from '../launch/launch.js';
import { readBundle } from '../policy/bundle.js';
import { HardwareNode } from '../ros/nodes/hardware.js';
import { LearnerNode } from '../ros/nodes/learner.js';
import { PolicyNode } from '../ros/nodes/policy.js';
import { type RecorderControl, RecorderNode } from '../ros/nodes/recorder.js';
import { SafetyNode } from '../ros/nodes/safety.js';
import { SimNode } from '../ros/nodes/sim.js';
import type { ParameterRule } from '../ros/rosArguments.js';
import { StampClock } from '../ros/time.js';
import { openTransport } from '../ros/transport/open.js';
import { reverieMsgsBuilt } from '../ros/transport/rclnodejs.js';
import type { Transport } from '../ros/transport/transport.js';

export interface RosNodesOptions {
  readonly parameterRules: readonly ParameterRule[];
  readonly saveLearner: () => Promise<string>;
  readonly recorder: RecorderControl;
  readonly onNotice: (line: string) => void;
}

/** The nodes of a run, on the transport that its launch file or the command line names. */
export class RosNodes {
  private constructor(
    private readonly transport: Transport,
    private readonly managed: readonly (HardwareNode | PolicyNode)[],
    private readonly learner: LearnerNode | undefined,
    private readonly nodes: readonly { close(): void }[],
  ) {}

  /** @returns nothing where no transport is named @throws UserError where that transport is not there */
  static async open(
    launch: Launch,
    robot: RobotProcess,
    { parameterRules, saveLearner, recorder, onNotice }: RosNodesOptions,
  ): Promise<RosNodes | undefined> {
    const { ros } = launch;
    if (ros.transport === 'none') return undefined;
    const { domain, interface: network, namespace, remap, rate_hz, use_sim_time: useSimTime } = ros;
    const simulated = launch.driver.kind === 'sim';
    if (useSimTime && !simulated)
      throw new UserError(`${launch.path} is no simulation: with use_sim_time it would wait for a /clock`);
    const transport = await openTransport(ros.transport, { domain, interface: network, onNotice });
    const ownTypes = ros.reverie_msgs ?? reverieMsgsBuilt();
    const clock = useSimTime ? new StampClock(0) : new StampClock();
    const now = () => clock.stamp(robot.time.now_s());
    const common = { transport, namespace, remap, useSimTime, now, ownTypes, parameterRules, onNotice };
    const select = (name: string) => robot.setPolicy(readBundle(name));
    const nodes: { close(): void }[] = [];
    const opened = <T extends { close(): void }>(node: T): T => {
      nodes.push(node);
      return node;
    };
    try {
      const hardware = opened(new HardwareNode({ ...common, robot, clock, rate_hz }));
      const policy = opened(new PolicyNode({ ...common, robot, select }));
      const learner = launch.learner.enabled
        ? opened(new LearnerNode({ ...common, save: saveLearner }))
        : undefined;
      opened(new SafetyNode({ ...common, robot, clock }));
      opened(new RecorderNode({ ...common, recorder }));
      if (simulated) opened(new SimNode({ ...common, robot, clock }));
      return new RosNodes(transport, [hardware, policy], learner, nodes);
    } catch (error) {
      for (const node of nodes) node.close();
      await transport.close();
      throw error;
    }
  }

  /** Brings the managed nodes up, once the robot is armed. */
  async activate(): Promise<void> {
    for (const { lifecycle } of this.managed)
      if (!(await lifecycle.to('configure')) || !(await lifecycle.to('activate')))
        throw new Error('a ROS 2 node did not come up');
  }

  showLearner(figures: Readonly<Record<string, number>>): void {
    this.learner?.show(figures);
  }

  /** After the robot has stopped: others see that to the end. */
  async close(): Promise<void> {
    for (const node of this.nodes) node.close();
    await this.transport.close();
  }
}
