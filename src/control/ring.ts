/**
 * Records of fixed size from one thread to one other: a ring in shared memory with one producer and
 * one consumer. Nobody waits: a full ring refuses the record and counts it.
 */
export class RecordRing {
  /** [written, read, refused] */
  private readonly counters: Int32Array;
  private readonly data: Float64Array;
  private readonly capacity: number;

  /** @param memory from `RecordRing.allocate`, shared with the other thread */
  constructor(
    memory: SharedArrayBuffer,
    readonly fields: number,
  ) {
    this.counters = new Int32Array(memory, 0, 3);
    this.data = new Float64Array(memory, 16);
    this.capacity = this.data.length / fields;
    if (!Number.isInteger(this.capacity))
      throw new RangeError(`a ring of ${this.data.length} numbers does not hold records of ${fields}`);
  }

  static allocate(fields: number, capacity: number): SharedArrayBuffer {
    return new SharedArrayBuffer(16 + 8 * fields * capacity);
  }

  /** Producer only. @returns false where the ring was full and the record is lost */
  push(record: Float64Array): boolean {
    const written = Atomics.load(this.counters, 0);
    // The difference is right even where the counters have wrapped around.
    if (((written - Atomics.load(this.counters, 1)) | 0) >= this.capacity) {
      Atomics.add(this.counters, 2, 1);
      return false;
    }
    this.data.set(record, ((written >>> 0) % this.capacity) * this.fields);
    Atomics.store(this.counters, 0, (written + 1) | 0);
    return true;
  }

  /** Consumer only. @returns false when there is no record */
  pop(into: Float64Array): boolean {
    const read = Atomics.load(this.counters, 1);
    if (read === Atomics.load(this.counters, 0)) return false;
    const at = ((read >>> 0) % this.capacity) * this.fields;
    for (let i = 0; i < this.fields; i++) into[i] = this.data[at + i];
    Atomics.store(this.counters, 1, (read + 1) | 0);
    return true;
  }

  /** Records that were refused because the consumer lagged. */
  get refused(): number {
    return Atomics.load(this.counters, 2);
  }
}
