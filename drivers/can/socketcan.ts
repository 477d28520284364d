import { UserError } from '../../src/base/errors.js';
import type { Wire } from '../bus/wire.js';
import type { CanFrame } from './slcan.js';

/** What is used of the optional package `socketcan`. */
interface Message {
  readonly id: number;
  readonly data: Buffer;
  readonly ext?: boolean;
}
interface Channel {
  addListener(event: 'onMessage', listener: (message: Message) => void): void;
  addListener(event: 'onStopped', listener: () => void): void;
  start(): void;
  stop(): void;
  send(message: Message): number;
}
interface Socketcan {
  createRawChannel(name: string, timestamps?: boolean): Channel;
}

/** By a name that the compiler does not look up: the package may not be there. */
const PACKAGE = 'socketcan';
/** What CAN itself is set to, with `ip link`. */
const BIT_RATE = 1_000_000;

/** A CAN interface of Linux (`can0`), through the optional package `socketcan`. */
export class SocketcanWire implements Wire<readonly CanFrame[], CanFrame> {
  readonly baud = BIT_RATE;
  readonly strays = 0;
  onFrame: (frame: CanFrame) => void = () => {};
  private channel: Channel | undefined;

  private constructor(
    private readonly socketcan: Socketcan,
    readonly path: string,
  ) {}

  /** @param path name of the interface */
  static async open(path: string): Promise<SocketcanWire> {
    const socketcan = await load();
    const wire = new SocketcanWire(socketcan, path);
    try {
      wire.start();
    } catch (error) {
      throw new UserError(
        `${path}: ${(error as Error).message}; is it there and up? sudo ip link set ${path} up type can bitrate ${BIT_RATE}`,
      );
    }
    return wire;
  }

  write(frames: readonly CanFrame[]): boolean {
    if (!this.channel) return false;
    try {
      for (const { id, extended, data } of frames)
        this.channel.send({ id, ext: extended, data: Buffer.from(data) });
      return true;
    } catch {
      // The interface went down: silence tells the owner as well.
      return false;
    }
  }

  settle(): void {}

  async reopen(): Promise<boolean> {
    await this.close();
    try {
      this.start();
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    const { channel } = this;
    this.channel = undefined;
    try {
      channel?.stop();
    } catch {
      // It is gone already.
    }
  }

  private start(): void {
    const channel = this.socketcan.createRawChannel(this.path, false);
    channel.addListener('onMessage', ({ id, ext, data }) =>
      this.onFrame({ id, extended: ext === true, data: Uint8Array.from(data) }),
    );
    channel.addListener('onStopped', () => {
      if (this.channel === channel) this.channel = undefined;
    });
    channel.start();
    this.channel = channel;
  }
}

async function load(): Promise<Socketcan> {
  try {
    const loaded = (await import(PACKAGE)) as { readonly default?: Socketcan } & Partial<Socketcan>;
    return loaded.default ?? (loaded as Socketcan);
  } catch {
    throw new UserError(
      'transport socketcan needs Linux and the optional package: npm install socketcan@4.0.7 (the last for Node 20)',
    );
  }
}
