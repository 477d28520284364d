import { SampleChannel } from '../robot/channel.js';
import { type SharedMemory, Word } from './sharedMemory.js';

/** Sets the clock, in the control worker: decides at each deadline whether there is a tick, and when it is. */
export class RobotClockSetter {
  private readonly channel: SampleChannel;
  private readonly flat = new Float64Array([0, Number.NaN]);
  private steps = 0;

  /** @param period_s from tick to tick: across a standstill too */
  constructor(
    channel: SharedArrayBuffer,
    private readonly memory: SharedMemory,
    private readonly period_s: number,
  ) {
    this.channel = new SampleChannel(channel);
  }

  /** @param machine_s now, on the machine's clock @returns time of this tick; NaN where the world stands still */
  next(machine_s: number): number {
    const { memory, flat } = this;
    const paused = memory.get(Word.pause) !== 0;
    const asked = memory.get(Word.stepsAsked);
    const stood = !Number.isNaN(flat[1]);
    if (stood && paused && asked === this.steps) return Number.NaN;
    if (stood) flat[0] = machine_s - (flat[1] + this.period_s);
    const time_s = machine_s - flat[0];
    // Steps that are asked for while it goes on are taken as they come.
    if (!paused) this.steps = asked;
    else if (asked !== this.steps) this.steps = (this.steps + 1) | 0;
    const stands = paused && asked === this.steps;
    if (stood || stands) {
      flat[1] = stands ? time_s : Number.NaN;
      this.channel.write(flat);
    }
    memory.set(Word.stands, stands ? 1 : 0);
    memory.set(Word.stepsDone, this.steps);
    return time_s;
  }
}
