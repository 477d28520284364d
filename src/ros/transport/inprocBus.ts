import { randomBytes } from 'node:crypto';
import type { Bus, BusReader, BusWriter, EndpointOptions } from './bus.js';
import { theyDoNotMeet } from './names.js';
import { compatible } from './qos.js';

interface Reader {
  readonly options: EndpointOptions;
  readonly queue: Uint8Array[];
  readonly onData: (bytes: Uint8Array) => void;
  scheduled: boolean;
  open: boolean;
}

interface Writer {
  readonly options: EndpointOptions;
  /** What late readers get, where durability says so. */
  readonly kept: Uint8Array[];
}

/** Topics between nodes of one process. Where ROS 2 is absent everything else works the same on it. */
export class InprocBus implements Bus {
  readonly name = 'inproc';
  readonly gid = new Uint8Array(randomBytes(16));
  private readonly readers = new Set<Reader>();
  private readonly writers = new Set<Writer>();

  /** @param onNotice one line, once for each pair of types that meet on a topic */
  constructor(private readonly onNotice: (line: string) => void = () => {}) {}

  writer(options: EndpointOptions): BusWriter {
    const writer: Writer = { options, kept: [] };
    this.writers.add(writer);
    for (const reader of this.readers) this.joined(writer, reader);
    const matched = () => this.readersOf(writer).length;
    return {
      gid: new Uint8Array(randomBytes(16)),
      get matched() {
        return matched();
      },
      write: (bytes) => {
        const copy = bytes.slice();
        if (options.qos.durability === 'transient_local') keep(writer.kept, copy, options.qos.depth);
        for (const reader of this.readersOf(writer)) this.deliver(reader, copy);
      },
      close: () => {
        this.writers.delete(writer);
      },
    };
  }

  reader(options: EndpointOptions, onData: (bytes: Uint8Array) => void): BusReader {
    const reader: Reader = { options, queue: [], onData, scheduled: false, open: true };
    this.readers.add(reader);
    for (const writer of this.writers)
      if (this.joined(writer, reader) && options.qos.durability === 'transient_local')
        for (const bytes of writer.kept) this.deliver(reader, bytes);
    const matched = () => [...this.writers].filter((writer) => joins(writer, reader)).length;
    return {
      gid: new Uint8Array(randomBytes(16)),
      get matched() {
        return matched();
      },
      close: () => {
        reader.open = false;
        this.readers.delete(reader);
      },
    };
  }

  close(): void {
    for (const reader of this.readers) reader.open = false;
    this.readers.clear();
    this.writers.clear();
  }

  private readersOf(writer: Writer): Reader[] {
    return [...this.readers].filter((reader) => joins(writer, reader));
  }

  /** As `joins`, and says so where types keep two apart that share a topic. */
  private joined(writer: Writer, reader: Reader): boolean {
    const { topic, type } = reader.options;
    if (writer.options.topic === topic && writer.options.type !== type)
      this.onNotice(theyDoNotMeet(topic, writer.options.type, type));
    return joins(writer, reader);
  }

  private deliver(reader: Reader, bytes: Uint8Array): void {
    keep(reader.queue, bytes, reader.options.qos.depth);
    if (reader.scheduled) return;
    reader.scheduled = true;
    setImmediate(() => {
      reader.scheduled = false;
      for (const waiting of reader.queue.splice(0)) if (reader.open) reader.onData(waiting);
    });
  }
}

function joins(writer: Writer, reader: Reader): boolean {
  return (
    writer.options.topic === reader.options.topic &&
    writer.options.type === reader.options.type &&
    compatible(writer.options.qos, reader.options.qos)
  );
}

function keep(queue: Uint8Array[], bytes: Uint8Array, depth: number | 'all'): void {
  queue.push(bytes);
  if (depth !== 'all' && queue.length > depth) queue.shift();
}
