import type { RobotProcess } from '../../control/robotProcess.js';
import { safetyDiagnostic } from '../diagnostics.js';
import { type NodeOptions, RosNode } from '../node.js';
import type { StampClock } from '../time.js';
import { qosProfiles } from '../transport/qos.js';
import type { SafetyStatus } from '../types.js';

const LOOK_MS = 50;

export interface SafetyOptions extends NodeOptions {
  readonly robot: RobotProcess;
  readonly clock: StampClock;
}

/**
 * The emergency stop as a topic and as a service, its reset as a service alone, the kernel's state as
 * something that late joiners see too, and every intervention as a diagnostic.
 */
export class SafetyNode {
  private readonly node: RosNode;
  private readonly looking: NodeJS.Timeout;
  private readonly events: { unsubscribe(): void };
  private readonly robot: RobotProcess;
  private readonly clock: StampClock;
  private readonly state: (message: SafetyStatus) => void;
  private told = '';

  constructor({ robot, clock, ...options }: SafetyOptions) {
    this.node = new RosNode('safety', options);
    this.robot = robot;
    this.clock = clock;
    const { node } = this;
    node.subscribe('emergency_stop', 'std_msgs/msg/Bool', qosProfiles.default, ({ data }) => {
      // False resets nothing: that takes the service.
      if (data) robot.emergencyStop();
    });
    node.trigger('~/emergency_stop', () => {
      robot.emergencyStop();
      return 'emergency stop';
    });
    node.trigger('~/reset', async () => {
      await robot.reset();
      const { mode, latched } = robot.status();
      if (latched) throw new Error(`still latched: ${latched}`);
      if (mode === 'run' || mode === 'hold') return `${mode}: the robot goes on`;
      return `${mode}: without torque until the hardware node is activated`;
    });
    this.state = node.ownPublisher('~/state', 'reverie_msgs/msg/SafetyStatus', qosProfiles.latched);
    const diagnostics = node.publisher(
      '/diagnostics',
      'diagnostic_msgs/msg/DiagnosticArray',
      qosProfiles.default,
    );
    this.events = robot.events.subscribe((event) =>
      diagnostics(safetyDiagnostic(robot.options.spec, event, clock.stamp(event.time_s))),
    );
    this.looking = setInterval(() => this.look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.looking);
    // What the robot came to rest in is said too.
    this.look();
    this.events.unsubscribe();
    this.node.close();
  }

  /** Says the kernel's state where it is another than the last time. */
  private look(): void {
    const { mode, authority, latched = '', safety_events, asks_person } = this.robot.status();
    const now = { mode, authority, latched, events: safety_events, asks_person: asks_person ?? '' };
    const text = JSON.stringify(now);
    if (text !== this.told) this.state({ stamp: this.clock.stamp(this.robot.time.now_s()), ...now });
    this.told = text;
  }
}
