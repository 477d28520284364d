import { Framer, type Framing } from '../framing.js';
import { SerialLine } from '../serial/line.js';

/** A line with frames on it: what all buses have in common. */
export interface Wire<Out, In> {
  /** Path of the port, for messages. */
  readonly path: string;
  /** Bits per second, as opened. */
  readonly baud: number;
  /** Bytes that belonged to no good frame. */
  readonly strays: number;
  /** Told of every frame that comes in. */
  onFrame: (frame: In) => void;
  /** @returns false where there is no open port; what was to be sent is dropped then */
  write(out: Out): boolean;
  /** Forgets what has begun to come in: what is left of a late answer is none to the next question. */
  settle(): void;
  /** Closes what is left of the port and opens it once. @returns false where it is not there (yet) */
  reopen(): Promise<boolean>;
  close(): Promise<void>;
}

/** Frames of bytes on a serial port. */
export class SerialWire<In> implements Wire<Uint8Array, In> {
  onFrame: (frame: In) => void = () => {};
  private readonly framer: Framer<In>;

  private constructor(
    private readonly line: SerialLine,
    framing: Framing<In>,
  ) {
    this.framer = new Framer(framing);
    line.onData = (bytes) => this.framer.push(bytes, (frame) => this.onFrame(frame));
  }

  /** @throws UserError naming the port and what to try */
  static async open<In>(path: string, baud: number, framing: Framing<In>): Promise<SerialWire<In>> {
    return new SerialWire(await SerialLine.open(path, baud), framing);
  }

  get path(): string {
    return this.line.path;
  }

  get baud(): number {
    return this.line.baud;
  }

  get strays(): number {
    return this.framer.strays;
  }

  write(bytes: Uint8Array): boolean {
    return this.line.write(bytes);
  }

  settle(): void {
    this.framer.reset();
  }

  reopen(): Promise<boolean> {
    this.framer.reset();
    return this.line.reopen();
  }

  close(): Promise<void> {
    return this.line.close();
  }
}
