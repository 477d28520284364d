import type { PolicyAnswer, RobotProcess } from '../../control/robotProcess.js';
import { Lifecycle } from '../lifecycle.js';
import { type NodeOptions, RosNode } from '../node.js';
import { qosProfiles } from '../transport/qos.js';

const LOOK_MS = 200;

export interface PolicyOptions extends NodeOptions {
  readonly robot: RobotProcess;
  /** Admits a bundle by name or folder. @throws UserError where there is none */
  readonly select: (name: string) => Promise<PolicyAnswer>;
}

/**
 * Which policy moves the robot, and whether one does. Deactivated, the robot holds where it is; the
 * parameter `policy` hands over to another bundle, if the control loop admits it.
 */
export class PolicyNode {
  readonly lifecycle: Lifecycle;
  private readonly node: RosNode;
  private readonly looking: NodeJS.Timeout;
  private told = '';

  constructor({ robot, select, ...options }: PolicyOptions) {
    this.node = new RosNode('policy', options, {
      policy: {
        description: 'name of the policy in use; set it to the name or folder of another to hand over',
        type: 'string',
        value: robot.status().policy_name ?? '',
        atStart: 'chosen by --policy or the launch file when the node starts',
        onSet: async (name) => {
          const answer = await select(String(name));
          if (!answer.admitted) throw new Error(answer.reasons.join('; '));
        },
      },
    });
    const { node } = this;
    this.lifecycle = new Lifecycle(node, {
      // Held by a recovery that wishes for nothing: the kernel keeps the robot where it is.
      deactivate: async () => {
        if (!(await robot.takeOver('recovery')))
          throw new Error('the robot is stopped, or a person has it in hand');
      },
      activate: async () => {
        if (robot.status().authority === 'recovery') await robot.release();
      },
    });
    node.serve('~/enable', 'std_srvs/srv/SetBool', async ({ data }: { data: boolean }) => {
      const done =
        this.lifecycle.active === data || (await this.lifecycle.to(data ? 'activate' : 'deactivate'));
      return { success: done, message: this.lifecycle.state };
    });
    const state = node.ownPublisher('~/state', 'reverie_msgs/msg/PolicyState', qosProfiles.latched);
    this.looking = setInterval(() => {
      const { policy_name } = robot.status();
      const now = { policy: policy_name ?? '', enabled: this.lifecycle.active };
      // Others bring policies too: the command line, the learner, the dashboard.
      node.parameters.note('policy', now.policy);
      const text = JSON.stringify(now);
      if (text !== this.told) state(now);
      this.told = text;
    }, LOOK_MS);
  }

  close(): void {
    clearInterval(this.looking);
    this.node.close();
  }
}
