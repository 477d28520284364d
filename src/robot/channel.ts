/**
 * The newest sample of a fixed-size vector between two threads: one writer, any readers, nobody
 * waits. A sequence lock: the writer makes the counter odd, copies, makes it even; a reader that
 * saw it odd or changed tries again.
 */
export class SampleChannel {
  private readonly counter: Int32Array;
  private readonly data: Float64Array;
  private lastRead = 0;

  /** @param memory from `SampleChannel.allocate`, shared with the other thread */
  constructor(memory: SharedArrayBuffer) {
    this.counter = new Int32Array(memory, 0, 1);
    this.data = new Float64Array(memory, 8);
  }

  static allocate(length: number): SharedArrayBuffer {
    return new SharedArrayBuffer(8 + 8 * length);
  }

  write(sample: Float64Array): void {
    Atomics.add(this.counter, 0, 1);
    this.data.set(sample);
    Atomics.add(this.counter, 0, 1);
  }

  /** @returns false when nothing was written since the last read, or the writer was busy eight times in a row */
  read(into: Float64Array): boolean {
    for (let attempt = 0; attempt < 8; attempt++) {
      const before = Atomics.load(this.counter, 0);
      if (before === this.lastRead) return false;
      if (before & 1) continue;
      into.set(this.data);
      // A read-modify-write: a plain load would let the copy above drift past it on some processors.
      if (Atomics.add(this.counter, 0, 0) !== before) continue;
      this.lastRead = before;
      return true;
    }
    return false;
  }
}
