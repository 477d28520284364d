import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import { writeFileAtomic } from '../../base/files.js';

/** One line of figures: the environment step that they belong to, and what was measured there. */
export interface MetricsRow {
  readonly step: number;
  readonly [figure: string]: number | string | boolean | null;
}

/**
 * Figures of a run as JSON lines, appended as they come. Keys stay in the order given and a number
 * that is not finite becomes null, so the same figures make the same bytes.
 */
export class MetricsWriter {
  private readonly fd: number;

  /**
   * @param resumeAt_step for a run that goes on from a checkpoint: rows after this step, and a last
   *   line that a crash cut short, are dropped. Without it a file that exists is started anew.
   * @throws UserError where the file cannot be opened, or a line before the last is not valid
   */
  constructor(
    readonly path: string,
    resumeAt_step?: number,
  ) {
    if (resumeAt_step !== undefined && existsSync(path)) {
      const kept = readMetrics(path).filter((row) => row.step <= resumeAt_step);
      writeFileAtomic(path, kept.map(line).join(''));
    }
    try {
      this.fd = openSync(path, resumeAt_step === undefined ? 'w' : 'a');
    } catch (error) {
      throw new UserError(`${path}: cannot be opened (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  write(row: MetricsRow): void {
    const bytes = Buffer.from(line(row));
    for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/**
 * The two files of a run: `metrics.jsonl`, which the same seed repeats bit for bit, and
 * `timing.jsonl` for everything that depends on the machine and its load (wall time, updates a
 * second), which nobody can repeat.
 */
export class RunLog {
  private readonly metrics: MetricsWriter;
  private readonly timing: MetricsWriter;

  constructor(folder: string, resumeAt_step?: number) {
    this.metrics = new MetricsWriter(join(folder, 'metrics.jsonl'), resumeAt_step);
    this.timing = new MetricsWriter(join(folder, 'timing.jsonl'), resumeAt_step);
  }

  /** @param metrics figures that follow from the seed; @param timing figures of the clock */
  write(metrics: MetricsRow, timing?: Omit<MetricsRow, 'step'>): void {
    this.metrics.write(metrics);
    if (timing) this.timing.write({ step: metrics.step, ...timing });
  }

  close(): void {
    this.metrics.close();
    this.timing.close();
  }
}

/**
 * Reads a file of JSON lines. A last line without its end is what a crash leaves, and is left out.
 * @throws UserError naming file and line where another one is not a row
 */
export function readMetrics(path: string): MetricsRow[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const lines = text.split('\n');
  lines.pop();
  return lines.map((content, i) => {
    let row: unknown;
    try {
      row = JSON.parse(content);
    } catch {
      row = undefined;
    }
    if (typeof (row as MetricsRow | null | undefined)?.step !== 'number')
      throw new UserError(
        `${path}:${i + 1}: expected a JSON object with a number "step", found ${content.slice(0, 60)}`,
      );
    return row as MetricsRow;
  });
}

function line(row: MetricsRow): string {
  return `${JSON.stringify(row)}\n`;
}
