import { TraceAt, type TraceRecord } from '../control/traceRecord.js';
import type { RobotSpec } from '../robot/spec.js';
import { feetOf } from '../robot/spec.js';
import { JointCommand, RobotState } from '../robot/state.js';
import { encode } from '../ros/codec.js';
import { ImuStream, JointStateStream, TfStream } from '../ros/robotStreams.js';
import type { StampClock } from '../ros/time.js';
import { authorities } from '../safety/authority.js';
import { causes } from '../safety/events.js';
import { kernelModes } from '../safety/kernel.js';
import { nanoseconds, type RecordingFile } from './file.js';
import { Decimator, topics } from './topics.js';

/** Turns control ticks into messages, each stream at its own rate. */
export class TickWriter {
  private readonly state: RobotState;
  private readonly sent: RobotState;
  private readonly command: JointCommand;
  private readonly joints: JointStateStream;
  private readonly commands: JointStateStream;
  private readonly imu: ImuStream | undefined;
  private readonly tf: TfStream;
  private readonly due = {
    imu: new Decimator(topics.imu.hz),
    tf: new Decimator(topics.tf.hz),
    safety: new Decimator(topics.safety.hz),
    objects: new Decimator(topics.objects.hz),
  };
  private sample_s = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly spec: RobotSpec,
    private readonly record: TraceRecord,
    private readonly file: RecordingFile,
    private readonly clock: StampClock,
  ) {
    const sizes = [spec.joints.length, feetOf(spec).length, spec.objects.length] as const;
    this.state = new RobotState(...sizes, 0, record.state);
    this.sent = RobotState.for(spec);
    this.command = new JointCommand(spec.joints.length, record.command);
    this.joints = new JointStateStream(spec);
    this.commands = new JointStateStream(spec);
    this.imu = spec.imu && new ImuStream();
    this.tf = new TfStream(spec);
  }

  /** Writes what is due of the tick that lies in the record. */
  async write(): Promise<void> {
    const { state, record, due, clock } = this;
    const tick_s = record.flat[TraceAt.time_s];
    const received = nanoseconds(clock.stamp(tick_s));
    if (state.time_s > this.sample_s) {
      this.sample_s = state.time_s;
      await this.writeSample(received);
    }
    const { command, sent } = this;
    sent.position_rad.set(command.position_rad);
    sent.velocity_rad_s.set(command.velocity_rad_s);
    sent.torque_nm.set(command.torque_nm);
    const stamp = clock.stamp(command.time_s);
    await this.put(topics.commands, this.commands.write(sent, stamp), nanoseconds(stamp), received);
    if (due.safety.passes(tick_s)) await this.writeSafety(received);
  }

  private async writeSample(received: bigint): Promise<void> {
    const { state, record, due, clock, imu } = this;
    const stamp = clock.stamp(state.time_s);
    const captured = nanoseconds(stamp);
    await this.put(topics.joints, this.joints.write(state, stamp), captured, received);
    if (imu && due.imu.passes(state.time_s))
      await this.put(topics.imu, imu.write(state, stamp), captured, received);
    if (due.tf.passes(state.time_s))
      await this.put(topics.tf, this.tf.write(state, record.estimate, stamp), captured, received);
    if (this.spec.objects.length > 0 && due.objects.passes(state.time_s)) {
      const message = { layout: { dim: [], data_offset: 0 }, data: state.object_m };
      await this.put(topics.objects, encode(topics.objects.type, message), captured, received);
    }
  }

  private async writeSafety(received: bigint): Promise<void> {
    const { flat } = this.record;
    const stamp = this.clock.stamp(flat[TraceAt.time_s]);
    const message = encode(topics.safety.type, {
      stamp,
      mode: kernelModes[flat[TraceAt.mode]],
      authority: authorities[flat[TraceAt.authority]],
      latched: causes[flat[TraceAt.latched] - 1] ?? '',
      events: flat[TraceAt.safetyEvents],
    });
    await this.put(topics.safety, message, received, received);
  }

  private put(
    to: { topic: string; type: string },
    bytes: Uint8Array,
    captured: bigint,
    received: bigint,
  ): Promise<void> {
    return this.file.write(to.topic, to.type, bytes, captured, received);
  }
}
