import { UserError } from '../../src/base/errors.js';
import { SerialWire, type Wire } from '../bus/wire.js';
import { type CanFrame, CLOSE, encodeFrame, framing, OPEN_1_MBIT, type SlcanReply } from './slcan.js';
import { SocketcanWire } from './socketcan.js';

export type CanWire = Wire<readonly CanFrame[], CanFrame>;

/** Longest that an adapter may take to open its channel. */
const OPEN_MS = 1000;

const text = (line: string) => Buffer.from(line, 'latin1');

/** CAN by whichever way. @throws UserError naming the port and what to try */
export function openCan(transport: 'slcan' | 'socketcan', port: string, baud: number): Promise<CanWire> {
  return transport === 'slcan' ? SlcanWire.open(port, baud) : SocketcanWire.open(port);
}

/** CAN at 1 Mbit/s through an adapter that speaks SLCAN. */
export class SlcanWire implements CanWire {
  onFrame: (frame: CanFrame) => void = () => {};
  /** Frames that the adapter could not send. */
  refused = 0;
  private confirmed: (() => void) | undefined;

  private constructor(private readonly serial: SerialWire<SlcanReply>) {
    serial.onFrame = (reply) => {
      if (reply.kind === 'frame') this.onFrame(reply.frame);
      else if (reply.kind === 'error') this.refused++;
      else if (reply.kind === 'ok') this.confirmed?.();
    };
  }

  static async open(port: string, baud: number): Promise<SlcanWire> {
    const wire = new SlcanWire(await SerialWire.open(port, baud, framing));
    if (await wire.openChannel()) return wire;
    await wire.close();
    throw new UserError(
      `${port} at ${baud} baud: no answer to SLCAN's commands; is it an SLCAN adapter (candleLight and PEAK adapters want transport: socketcan)?`,
    );
  }

  get path(): string {
    return this.serial.path;
  }

  get baud(): number {
    return this.serial.baud;
  }

  get strays(): number {
    return this.serial.strays;
  }

  /** All in one write: the adapter puts them on the bus one after the other. */
  write(frames: readonly CanFrame[]): boolean {
    return this.serial.write(text(frames.map(encodeFrame).join('')));
  }

  /** Frames of other questions come in whole: only half a line would be in the way. */
  settle(): void {}

  async reopen(): Promise<boolean> {
    return (await this.serial.reopen()) && this.openChannel();
  }

  async close(): Promise<void> {
    this.serial.write(text(CLOSE));
    await this.serial.close();
  }

  /** @returns whether the adapter confirms; closing what was open already may be refused */
  private async openChannel(): Promise<boolean> {
    const confirmed = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), OPEN_MS);
      let left = 2; // bit rate and opening
      this.confirmed = () => {
        if (--left > 0) return;
        clearTimeout(timer);
        resolve(true);
      };
    });
    this.serial.write(text(OPEN_1_MBIT.join('')));
    const did = await confirmed;
    this.confirmed = undefined;
    return did;
  }
}
