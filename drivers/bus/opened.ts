import { CYCLE_ANSWER_MS, PATIENT_ANSWER_MS } from './exchange.js';

/** An `Exchange`, of whatever it sends and gets. */
interface Line {
  patience_ms: number;
  readonly wire: { reopen(): Promise<boolean>; close(): Promise<void> };
}

/** What every family does with the line that it has open. */
export abstract class OnExchange<Bus extends Line> {
  private line: Bus | undefined;

  /** @throws UserError naming the port and what to try */
  protected abstract connect(): Promise<Bus>;

  async open(): Promise<void> {
    this.line = await this.connect();
  }

  reopen(): Promise<boolean> {
    return this.bus.wire.reopen();
  }

  async close(): Promise<void> {
    await this.line?.wire.close();
  }

  hurry(inHurry: boolean): void {
    if (this.line) this.line.patience_ms = inHurry ? CYCLE_ANSWER_MS : PATIENT_ANSWER_MS;
  }

  protected get isOpen(): boolean {
    return this.line !== undefined;
  }

  /** There from `open` on. */
  protected get bus(): Bus {
    return this.line!;
  }
}
