/** How a protocol marks its frames in a stream of bytes. */
export interface Framing<T> {
  /** The longest frame it can have, bytes: what claims to be longer is none. */
  readonly longest: number;
  /**
   * Looks at the bytes from `at` to `end`.
   * @returns the length of the whole, undamaged frame that begins at `at`; 0 where more bytes must come
   *   first; −1 where no good frame begins at `at`
   */
  look(bytes: Uint8Array, at: number, end: number): number;
  /** @param frame whole and undamaged; its memory is reused afterwards */
  read(frame: Uint8Array): T;
}

/**
 * Cuts a stream into frames. Never throws on any bytes, holds at most twice the longest frame, and
 * after damage goes on with the byte after the false beginning, so that nothing good behind it is
 * lost: what a damaged length claimed is looked through again.
 */
export class Framer<T> {
  /** Bytes that belonged to no good frame, so far. */
  strays = 0;
  private readonly buffer: Uint8Array;
  private held = 0;

  constructor(private readonly framing: Framing<T>) {
    this.buffer = new Uint8Array(2 * framing.longest);
  }

  /** @param each told of every frame, in order */
  push(bytes: Uint8Array, each: (frame: T) => void): void {
    for (let from = 0; from < bytes.length; ) {
      const n = Math.min(bytes.length - from, this.buffer.length - this.held);
      this.buffer.set(bytes.subarray(from, from + n), this.held);
      this.held += n;
      from += n;
      this.scan(each);
    }
  }

  /** Gives up what has begun: on a bus, silence ends every frame. */
  reset(): void {
    this.strays += this.held;
    this.held = 0;
  }

  private scan(each: (frame: T) => void): void {
    const { framing, buffer } = this;
    let at = 0;
    while (at < this.held) {
      const length = framing.look(buffer, at, this.held);
      if (length > 0) {
        each(framing.read(buffer.subarray(at, at + length)));
        at += length;
      } else if (length === 0 && this.held - at < framing.longest) {
        break;
      } else {
        this.strays++;
        at++;
      }
    }
    buffer.copyWithin(0, at, this.held);
    this.held -= at;
  }
}

/** Frames that are lines of text. @param ends the bytes that end a line, and belong to it */
export function lines<T>(longest: number, ends: string, read: (line: string) => T): Framing<T> {
  const isEnd = (byte: number) => ends.includes(String.fromCharCode(byte));
  return {
    longest,
    look(bytes, at, end) {
      for (let i = at; i < Math.min(end, at + longest); i++) if (isEnd(bytes[i])) return i + 1 - at;
      return end - at < longest ? 0 : -1;
    },
    read: (frame) => read(String.fromCharCode(...frame)),
  };
}

/** Sum of bytes [from, to), modulo 256. */
export function sum8(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += bytes[i];
  return sum & 0xff;
}
