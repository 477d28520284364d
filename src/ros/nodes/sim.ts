import { now_s } from '../../control/clock.js';
import type { RobotProcess } from '../../control/robotProcess.js';
import { type NodeOptions, RosNode } from '../node.js';
import type { StampClock } from '../time.js';
import { qosProfiles } from '../transport/qos.js';

const CLOCK_MS = 10;

export interface SimOptions extends NodeOptions {
  readonly robot: RobotProcess;
  readonly clock: StampClock;
}

/** The simulated robot's clock, for those who run on simulated time, and the hand that puts it back. */
export class SimNode {
  private readonly node: RosNode;
  private readonly ticking: NodeJS.Timeout;

  constructor({ robot, clock, ...options }: SimOptions) {
    this.node = new RosNode('sim', options);
    const publish = this.node.publisher('/clock', 'rosgraph_msgs/msg/Clock', qosProfiles.sensorData);
    this.ticking = setInterval(() => publish({ clock: clock.stamp(now_s()) }), CLOCK_MS);
    this.node.trigger('~/reset', async () => {
      await robot.replace();
      return 'back on its feet';
    });
  }

  close(): void {
    clearInterval(this.ticking);
    this.node.close();
  }
}
