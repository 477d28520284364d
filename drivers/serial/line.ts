import { SerialPort } from 'serialport';
import { UserError } from '../../src/base/errors.js';

/** Closing a port whose device is gone may never be answered. */
const CLOSE_MS = 200;

/**
 * A serial port that outlives its device. The library reports an unplugged device late or not at all,
 * and a write after that waits for ever; so whoever owns the line watches for silence and asks for
 * `reopen`, and nothing is written to a port that is not open.
 */
export class SerialLine {
  /** Told of every chunk that comes in. */
  onData: (bytes: Uint8Array) => void = () => {};
  /** Times that the port was opened anew. */
  reopened = 0;
  private port: SerialPort | undefined;

  private constructor(
    readonly path: string,
    readonly baud: number,
  ) {}

  /** Opens for this process alone. @throws UserError naming the port and what to try */
  static async open(path: string, baud: number): Promise<SerialLine> {
    const line = new SerialLine(path, baud);
    await line.connect();
    return line;
  }

  get isOpen(): boolean {
    return this.port?.isOpen === true;
  }

  /** @returns false where there is no open port; the bytes are dropped then */
  write(bytes: Uint8Array): boolean {
    if (!this.port?.isOpen) return false;
    // A write that races with the unplugging reports its error here: silence tells the owner as well.
    this.port.write(bytes, () => {});
    return true;
  }

  /** Closes what is left of the port and opens it once. @returns false where it is not there (yet) */
  async reopen(): Promise<boolean> {
    await this.close();
    try {
      await this.connect();
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
    this.reopened++;
    return true;
  }

  async close(): Promise<void> {
    const { port } = this;
    this.port = undefined;
    if (!port?.isOpen) return;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, CLOSE_MS);
      port.close(() => resolve());
    });
  }

  private async connect(): Promise<void> {
    const port = new SerialPort({ path: this.path, baudRate: this.baud, autoOpen: false, lock: true });
    port.on('error', () => {});
    port.on('data', (chunk: Buffer) => this.port === port && this.onData(chunk));
    await new Promise<void>((resolve, reject) => {
      port.open((error) => (error ? reject(this.explain(error)) : resolve()));
    });
    // What came before anybody listened is of no time that is known.
    await new Promise<void>((resolve) => port.flush(() => resolve()));
    this.port = port;
    // FTDI adapters hold bytes back for 16 ms unless told not to; others, and terminals, know no such thing.
    const lowLatency = { lowLatency: true } as unknown as Parameters<SerialPort['set']>[0];
    port.set(lowLatency, () => {});
  }

  private explain(error: Error): UserError {
    const { message } = error;
    const help = /no such file/i.test(message)
      ? 'is the adapter plugged in? `reverie doctor` lists the ports; for emulated hardware start `reverie emulate` with the --link that the launch file names'
      : /permission|access denied/i.test(message)
        ? 'sudo usermod -aG dialout $USER and a new login'
        : /lock|busy|temporarily/i.test(message)
          ? 'another program has it open: end that one'
          : /baud/i.test(message)
            ? 'the adapter does not know this baud rate'
            : 'try another port';
    return new UserError(`${this.path} at ${this.baud} baud: ${message.replace(/^Error:\s*/, '')}; ${help}`);
  }
}
