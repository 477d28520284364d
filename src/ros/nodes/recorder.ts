import { type NodeOptions, RosNode } from '../node.js';
import { qosProfiles } from '../transport/qos.js';
import type { RecorderState } from '../types.js';

/**
 * What an operator says of the episode that runs, else of the last; `go_on` begins the next one where the
 * operator says what is one, else pauses and goes on.
 */
const actions = ['success', 'failure', 'discard', 'go_on'] as const;
export type RecordingAction = (typeof actions)[number];

/** The recorder of a run, as its node drives it. Each throws an Error that says why it may not be. */
export interface RecorderControl {
  state(): RecorderState;
  /** Begins a file of its own. @returns its path */
  start(): Promise<string>;
  /** Ends the file. @returns what was written, in a line */
  stop(): Promise<string>;
  act(action: RecordingAction): void;
}

const LOOK_MS = 200;

/** Recordings (MCAP) begun, labelled and ended over ROS 2. */
export class RecorderNode {
  private readonly node: RosNode;
  private readonly looking: NodeJS.Timeout;
  private told = '';

  constructor({ recorder, ...options }: NodeOptions & { readonly recorder: RecorderControl }) {
    this.node = new RosNode('recorder', options);
    const { node } = this;
    node.trigger('~/start', () => recorder.start());
    node.trigger('~/stop', () => recorder.stop());
    for (const action of actions)
      node.trigger(`~/${action}`, () => {
        recorder.act(action);
        const { episode, paused } = recorder.state();
        return `${paused ? 'paused in episode' : 'episode'} ${episode}`;
      });
    const state = node.ownPublisher('~/state', 'reverie_msgs/msg/RecorderState', qosProfiles.latched);
    this.looking = setInterval(() => {
      const now = recorder.state();
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
