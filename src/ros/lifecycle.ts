import type { RosNode } from './node.js';
import { qosProfiles } from './transport/qos.js';

/** What a managed node does on its transitions; one that throws leaves it in the state it was in. */
export interface LifecycleActions {
  configure?(): void | Promise<void>;
  activate?(): void | Promise<void>;
  deactivate?(): void | Promise<void>;
  cleanup?(): void | Promise<void>;
  /** From any state, before it is final. */
  shutdown?(): void | Promise<void>;
}

/** Ids and labels of `lifecycle_msgs`. */
const states = { unconfigured: 1, inactive: 2, active: 3, finalized: 4 } as const;
export type LifecycleState = keyof typeof states;

interface Transition {
  readonly id: number;
  readonly label: keyof LifecycleActions;
  readonly from: LifecycleState;
  readonly to: LifecycleState;
}
const transitions: readonly Transition[] = [
  { id: 1, label: 'configure', from: 'unconfigured', to: 'inactive' },
  { id: 2, label: 'cleanup', from: 'inactive', to: 'unconfigured' },
  { id: 3, label: 'activate', from: 'inactive', to: 'active' },
  { id: 4, label: 'deactivate', from: 'active', to: 'inactive' },
  { id: 5, label: 'shutdown', from: 'unconfigured', to: 'finalized' },
  { id: 6, label: 'shutdown', from: 'inactive', to: 'finalized' },
  { id: 7, label: 'shutdown', from: 'active', to: 'finalized' },
];

/** A node's life as that of ROS 2's managed nodes: states, transitions and who may ask for them. */
export class Lifecycle {
  state: LifecycleState = 'unconfigured';
  private busy = false;
  private readonly announce: (message: unknown) => void;

  constructor(
    private readonly node: RosNode,
    private readonly actions: LifecycleActions,
  ) {
    this.announce = node.publisher(
      '~/transition_event',
      'lifecycle_msgs/msg/TransitionEvent',
      qosProfiles.default,
    );
    node.serve(
      '~/change_state',
      'lifecycle_msgs/srv/ChangeState',
      async ({ transition: { id, label } }: { transition: { id: number; label: string } }) => {
        const asked = transitions.find(
          (t) => t.from === this.state && (id ? t.id === id : t.label === label),
        );
        return { success: asked !== undefined && (await this.make(asked)) };
      },
    );
    node.serve('~/get_state', 'lifecycle_msgs/srv/GetState', () => ({
      current_state: wireState(this.state),
    }));
    node.serve('~/get_available_states', 'lifecycle_msgs/srv/GetAvailableStates', () => ({
      available_states: (Object.keys(states) as LifecycleState[]).map(wireState),
    }));
    node.serve('~/get_available_transitions', 'lifecycle_msgs/srv/GetAvailableTransitions', () => ({
      available_transitions: transitions.filter((t) => t.from === this.state).map(describe),
    }));
  }

  get active(): boolean {
    return this.state === 'active';
  }

  /** @returns false where that is no way from here, or its action failed */
  async to(label: keyof LifecycleActions): Promise<boolean> {
    const transition = transitions.find((t) => t.from === this.state && t.label === label);
    return transition !== undefined && this.make(transition);
  }

  private async make(transition: Transition): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    try {
      await this.actions[transition.label]?.();
    } catch (error) {
      this.node.notice(`${transition.label} failed: ${(error as Error).message}`);
      return false;
    } finally {
      this.busy = false;
    }
    this.state = transition.to;
    const { sec, nanosec } = this.node.now();
    this.announce({ timestamp: BigInt(sec) * 1_000_000_000n + BigInt(nanosec), ...describe(transition) });
    return true;
  }
}

function describe({ id, label, from, to }: Transition): object {
  return { transition: { id, label }, start_state: wireState(from), goal_state: wireState(to) };
}

function wireState(label: LifecycleState): object {
  return { id: states[label], label };
}
