import { type NodeOptions, RosNode } from '../node.js';
import { qosProfiles } from '../transport/qos.js';
import type { LearnerMetrics } from '../types.js';

export interface LearnerOptions extends NodeOptions {
  /** Has the learner write its checkpoint. @returns its name @throws Error where it cannot be reached */
  readonly save: () => Promise<string>;
}

/** What the learner says of itself, and a service that has it write its checkpoint. */
export class LearnerNode {
  private readonly node: RosNode;
  private readonly metrics: (message: LearnerMetrics) => void;

  constructor({ save, ...options }: LearnerOptions) {
    this.node = new RosNode('learner', options);
    this.metrics = this.node.ownPublisher(
      '~/metrics',
      'reverie_msgs/msg/LearnerMetrics',
      qosProfiles.default,
    );
    this.node.trigger('~/save', async () => `learner ${await save()} has written its checkpoint`);
  }

  show(figures: Readonly<Record<string, number>>): void {
    this.metrics({ names: Object.keys(figures), values: Object.values(figures) });
  }

  close(): void {
    this.node.close();
  }
}
