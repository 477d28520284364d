import { type NodeOptions, RosNode } from '../node.js';
import { qosProfiles } from '../transport/qos.js';

/** What the learner says of itself, as JSON: no common message has such figures. */
export class LearnerNode {
  private readonly node: RosNode;
  private readonly metrics: (message: { data: string }) => void;

  constructor(options: NodeOptions) {
    this.node = new RosNode('learner', options);
    this.metrics = this.node.publisher('~/metrics', 'std_msgs/msg/String', qosProfiles.default);
  }

  show(figures: object): void {
    this.metrics({ data: JSON.stringify(figures) });
  }

  close(): void {
    this.node.close();
  }
}
