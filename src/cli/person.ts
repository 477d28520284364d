import type { Interface } from 'node:readline';

/** How often there is something to do while a person takes their time, ms. */
const LOOK_MS = 50;

/** Lines that a person types. */
export class Person {
  private readonly lines: string[] = [];
  private wake: () => void = () => {};
  private gone = false;

  constructor(terminal: Interface) {
    terminal.on('line', (line) => {
      this.lines.push(line.trim());
      this.wake();
    });
    terminal.on('close', () => {
      this.gone = true;
      this.wake();
    });
  }

  /** @param meanwhile again and again until there is a line. @returns undefined where no more will come */
  async line(meanwhile: () => Promise<void>): Promise<string | undefined> {
    while (this.lines.length === 0 && !this.gone) {
      await meanwhile();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, LOOK_MS);
      });
    }
    return this.lines.shift();
  }
}
