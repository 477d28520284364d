import { SampleChannel } from '../robot/channel.js';
import type { RobotSpec } from '../robot/spec.js';
import { JointCommand, RobotState } from '../robot/state.js';
import type { RobotBuffers } from './sharedMemory.js';

/**
 * The newest of what the threads of a robot process hand each other, for whoever shows or publishes
 * it. Every observer has its own place in the channels, so that any number of them disturb nobody,
 * and what it holds stays as it is until the next `update`.
 */
export class Observer {
  readonly state: RobotState;
  /** What the safety kernel sent to the drives. */
  readonly command: JointCommand;
  /** World frame, since the start of the episode; the estimate drifts. Zeros for a fixed base. */
  readonly estimate = { position_m: new Float64Array(3), velocity_m_s: new Float64Array(3) };
  /** The same as a simulator knows it; NaN on a robot. */
  readonly truth = {
    position_m: new Float64Array(3).fill(Number.NaN),
    velocity_m_s: new Float64Array(3).fill(Number.NaN),
  };
  private readonly channels: readonly (readonly [SampleChannel, Float64Array])[];
  private readonly estimated = new Float64Array(6);
  private readonly true = new Float64Array(6).fill(Number.NaN);

  constructor(spec: RobotSpec, buffers: RobotBuffers) {
    this.state = RobotState.for(spec);
    this.command = new JointCommand(spec.joints.length);
    this.channels = [
      [new SampleChannel(buffers.samples), this.state.flat],
      [new SampleChannel(buffers.commands), this.command.flat],
      [new SampleChannel(buffers.estimate), this.estimated],
      [new SampleChannel(buffers.truth), this.true],
    ];
  }

  /** Takes over what is newest. @returns whether there is a newer sample than the last time */
  update(): boolean {
    const [fresh] = this.channels.map(([channel, into]) => channel.read(into));
    this.estimate.position_m.set(this.estimated.subarray(0, 3));
    this.estimate.velocity_m_s.set(this.estimated.subarray(3));
    this.truth.position_m.set(this.true.subarray(0, 3));
    this.truth.velocity_m_s.set(this.true.subarray(3));
    return fresh;
  }
}
