import type { RobotProcess } from '../../control/robotProcess.js';
import { ticksPerAction } from '../../robot/spec.js';
import { type NodeOptions, RosNode } from '../node.js';
import type { StampClock } from '../time.js';
import { qosProfiles } from '../transport/qos.js';

const CLOCK_MS = 10;
/** Longest step, s. */
const MOST_S = 10;

export interface SimOptions extends NodeOptions {
  readonly robot: RobotProcess;
  readonly clock: StampClock;
}

/**
 * The simulated robot's clock, for those who run on simulated time, and the hand that puts it back, holds
 * its time, and lets it go on step by step.
 */
export class SimNode {
  private readonly node: RosNode;
  private readonly ticking: NodeJS.Timeout;

  constructor({ robot, clock, ...options }: SimOptions) {
    const { spec } = robot.options;
    this.node = new RosNode('sim', options, {
      step_ticks: {
        description: 'control ticks that a step takes; at first those between two actions of a policy',
        type: 'integer',
        value: ticksPerAction(spec),
        range: [1, MOST_S * spec.rates.control_hz],
      },
    });
    const { node } = this;
    const publish = node.publisher('/clock', 'rosgraph_msgs/msg/Clock', qosProfiles.clock);
    const tell = () => publish({ clock: clock.stamp(robot.time.now_s()) });
    this.ticking = setInterval(tell, CLOCK_MS);
    node.trigger('~/reset', async () => {
      await robot.replace();
      return 'back on its feet';
    });
    node.serve('~/pause', 'std_srvs/srv/SetBool', async ({ data }: { data: boolean }) => {
      try {
        if (data) await robot.time.pause();
        else robot.time.resume();
        tell();
        return { success: true, message: data ? 'time stands still' : 'time goes on' };
      } catch (error) {
        return { success: false, message: (error as Error).message };
      }
    });
    node.trigger('~/step', async () => {
      const ticks = node.parameters.get('step_ticks') as number;
      await robot.time.step(ticks);
      tell();
      return `${ticks} ticks`;
    });
  }

  close(): void {
    clearInterval(this.ticking);
    this.node.close();
  }
}
