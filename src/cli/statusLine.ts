/** One line at the bottom of a terminal, renewed in place; plain lines where standard error is none. */
export class StatusLine {
  private shown = '';
  private readonly tty = process.stderr.isTTY === true;

  update(text: string): void {
    if (!this.tty) {
      process.stderr.write(`${text}\n`);
      return;
    }
    this.shown = text.slice(0, (process.stderr.columns ?? 80) - 1);
    process.stderr.write(`\r\u001b[2K${this.shown}`);
  }

  /** A line that stays. */
  note(line: string): void {
    process.stderr.write(this.tty ? `\r\u001b[2K${line}\n${this.shown}` : `${line}\n`);
  }

  end(): void {
    if (this.tty && this.shown) process.stderr.write('\n');
    this.shown = '';
  }
}
