import type { Frame } from '../frame.js';
import { onFrame } from './connection.js';

/** Seconds that the traces show. */
export const WINDOW_S = 10;
const CAPACITY = 60 * WINDOW_S;

/** The frames of the last seconds: a ring of their numbers, oldest first when read. */
class FrameHistory {
  private data = new Float64Array(0);
  private fields = 0;
  private written = 0;
  private newest_s = Number.NEGATIVE_INFINITY;

  push(frame: Frame): void {
    // A robot process that started anew has a history of its own.
    if (frame.flat.length !== this.fields || frame.state.time_s < this.newest_s) {
      this.fields = frame.flat.length;
      this.data = new Float64Array(CAPACITY * this.fields);
      this.written = 0;
    }
    this.newest_s = frame.state.time_s;
    this.data.set(frame.flat, (this.written % CAPACITY) * this.fields);
    this.written++;
  }

  get length(): number {
    return Math.min(this.written, CAPACITY);
  }

  /** One number of every frame. @param at its place in `Frame.flat` */
  column(at: number): Float64Array {
    const out = new Float64Array(this.length);
    const first = this.written - out.length;
    for (let i = 0; i < out.length; i++) out[i] = this.data[((first + i) % CAPACITY) * this.fields + at];
    return out;
  }

  /** Seconds before the newest frame, negative. */
  times(): Float64Array {
    const times = this.column(0);
    for (let i = 0; i < times.length; i++) times[i] -= this.newest_s;
    return times;
  }
}

export const history = new FrameHistory();
onFrame((frame) => history.push(frame));

/** Where the vectors of a frame begin in its flat numbers. */
export function placeOf(vector: (frame: Frame) => Float64Array, layout: Frame): number {
  return vector(layout).byteOffset / Float64Array.BYTES_PER_ELEMENT;
}
