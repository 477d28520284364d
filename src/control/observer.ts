import { SampleChannel } from '../robot/channel.js';
import type { RobotSpec } from '../robot/spec.js';
import { JointCommand, RobotState } from '../robot/state.js';
import { MotionReport, type RobotBuffers } from './sharedMemory.js';

/**
 * The newest of what the threads of a robot process hand each other, for whoever shows or publishes
 * it. Every observer has its own place in the channels, so that any number of them disturb nobody,
 * and what it holds stays as it is until the next `update`.
 */
export class Observer {
  readonly state: RobotState;
  /** What the safety kernel sent to the drives. */
  readonly command: JointCommand;
  /** How the control loop takes the robot to move; the estimate drifts, and is zero for a fixed base. */
  readonly estimate: MotionReport;
  /** The same as a simulator knows it; NaN on a robot. */
  readonly truth = {
    position_m: new Float64Array(3).fill(Number.NaN),
    velocity_m_s: new Float64Array(3).fill(Number.NaN),
  };
  private readonly channels: readonly (readonly [SampleChannel, Float64Array])[];
  private readonly true = new Float64Array(6).fill(Number.NaN);

  constructor(spec: RobotSpec, buffers: RobotBuffers) {
    this.state = RobotState.for(spec);
    this.command = new JointCommand(spec.joints.length);
    this.estimate = new MotionReport(spec.joints.length);
    this.channels = [
      [new SampleChannel(buffers.samples), this.state.flat],
      [new SampleChannel(buffers.commands), this.command.flat],
      [new SampleChannel(buffers.motion), this.estimate.flat],
      [new SampleChannel(buffers.truth), this.true],
    ];
  }

  /** Takes over what is newest. @returns whether there is a newer sample than the last time */
  update(): boolean {
    const [fresh] = this.channels.map(([channel, into]) => channel.read(into));
    this.truth.position_m.set(this.true.subarray(0, 3));
    this.truth.velocity_m_s.set(this.true.subarray(3));
    return fresh;
  }
}
