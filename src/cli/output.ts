import { styleText } from 'node:util';
import cliProgress from 'cli-progress';

/**
 * What every command prints with. Results go to standard output, progress and messages to standard
 * error, so that `reverie … --json | jq` reads nothing but the result.
 */

/** The object that a command ends with under `--json`, on one line. */
export function printJson(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

export type Style = Parameters<typeof styleText>[0];

/** Text in a style, where standard output is a terminal that shows it. */
export function styled(style: Style, text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}

/** Prints rows with their columns aligned, two spaces between them. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows.reduce<number[]>(
    (w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, width(cell))),
    [],
  );
  for (const row of rows) {
    const line = row.map((cell, i) => cell + ' '.repeat(Math.max(0, widths[i] - width(cell)))).join('  ');
    process.stdout.write(`${line.trimEnd()}\n`);
  }
}

/** A measured value with its unit; a dash where the figure has no meaning. */
export function figure(value: number | null | undefined, digits: number, unit = ''): string {
  if (value === null || value === undefined) return '–';
  return `${value.toFixed(digits)}${unit && ` ${unit}`}`;
}

/** A progress bar on standard error; silent where that is not a terminal. */
export class Progress {
  private readonly bar: cliProgress.SingleBar;

  constructor(label: string, total: number) {
    this.bar = new cliProgress.SingleBar({
      format: `${label} {bar} {value}/{total}  {eta_formatted} left`,
      stream: process.stderr,
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
    });
    this.bar.start(total, 0);
  }

  update(value: number): void {
    this.bar.update(value);
  }

  stop(): void {
    this.bar.stop();
  }
}

/** Characters that a terminal shows of a text: the codes of `styled` take no room. */
function width(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  return text.replace(/\u001b\[\d+m/g, '').length;
}
