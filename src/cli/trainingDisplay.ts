import cliProgress from 'cli-progress';
import type { TrainingProgress } from '../learn/trainer/trainer.js';
import type { TrainRunResult } from './trainRun.js';

/** Without a terminal: milliseconds between lines. */
const LINE_EVERY_MS = 10_000;
/** Window over which updates a second are measured, ms. */
const RATE_WINDOW_MS = 5000;

/** Training as a person watches it: a bar on a terminal, a line now and then in a log. Writes to standard error. */
export class TrainingDisplay {
  private readonly terminal = process.stderr.isTTY === true;
  private bar: cliProgress.SingleBar | undefined;
  private lastLine = 0;
  private rateFrom = { time: performance.now(), updates: 0 };
  private rate = 0;
  private readonly began = performance.now();
  private firstStep: number | undefined;

  update(progress: TrainingProgress): void {
    const now = performance.now();
    this.firstStep ??= progress.steps;
    if (now - this.rateFrom.time > RATE_WINDOW_MS || this.rate === 0) {
      this.rate = (1000 * (progress.updates - this.rateFrom.updates)) / (now - this.rateFrom.time);
      if (now - this.rateFrom.time > RATE_WINDOW_MS) this.rateFrom = { time: now, updates: progress.updates };
    }
    const figures = this.figures(progress);
    if (this.terminal) {
      this.bar ??= this.startBar(progress.totalSteps);
      this.bar.update(progress.steps, { figures });
    } else if (now - this.lastLine > LINE_EVERY_MS) {
      this.lastLine = now;
      process.stderr.write(`step ${progress.steps}/${progress.totalSteps}  ${figures}\n`);
    }
  }

  note(line: string): void {
    process.stderr.write(`${this.terminal && this.bar ? '\n' : ''}${line}\n`);
  }

  finish(): void {
    this.bar?.stop();
  }

  /** @param passing what a policy has to do to pass, in words */
  result(result: TrainRunResult, passing: string, out: string): void {
    const { evaluation: e, bundle, wallMinutes, robotMinutes, passed, finished } = result;
    const parts = [
      `${e.episodes} episodes of ${e.seconds_each} s: falls ${e.falls}`,
      e.mean_speed_mps === null ? undefined : `speed ${e.mean_speed_mps.toFixed(2)} m/s`,
      `success ${((e.success_rate ?? 0) * 100).toFixed(0)} %`,
      `return ${(e.mean_return ?? 0).toFixed(1)}`,
      `power ${(e.mean_power_w ?? 0).toFixed(1)} W`,
      e.foot_slip_mps === null ? undefined : `slip ${e.foot_slip_mps.toFixed(2)} m/s`,
      e.touchdowns_per_s === null ? undefined : `touchdowns ${e.touchdowns_per_s.toFixed(1)}/s a foot`,
    ];
    process.stderr.write(
      `${finished ? 'trained' : 'stopped'} after ${robotMinutes.toFixed(1)} robot minutes, ${wallMinutes.toFixed(1)} min of wall time\n` +
        `${parts.filter(Boolean).join(', ')}\n` +
        `${passed ? 'passed' : 'NOT passed'} (${passing}); policy: ${bundle.path}\ncurve: ${out}/curve.svg\n`,
    );
  }

  private figures({ steps, totalSteps, episodeReturn, evaluation }: TrainingProgress): string {
    const elapsed_s = (performance.now() - this.began) / 1000;
    const done = steps - (this.firstStep ?? 0);
    const left_s = done > 0 ? (elapsed_s * (totalSteps - steps)) / done : Number.NaN;
    const speed = evaluation?.mean_speed_mps;
    const shownEvaluation = !evaluation
      ? ''
      : speed === null || speed === undefined
        ? `  success ${((evaluation.success_rate ?? 0) * 100).toFixed(0)} %`
        : `  eval ${speed.toFixed(2)} m/s, falls ${evaluation.falls}/${evaluation.episodes}`;
    const shownReturn = Number.isFinite(episodeReturn) ? episodeReturn.toFixed(0) : '–';
    return `return ${shownReturn}  ${this.rate.toFixed(0)} updates/s  ${clock(left_s)} left${shownEvaluation}`;
  }

  private startBar(total: number): cliProgress.SingleBar {
    const bar = new cliProgress.SingleBar(
      {
        format: '{bar} {percentage}%  {figures}',
        stream: process.stderr,
        hideCursor: true,
        barsize: 24,
        fps: 5,
      },
      cliProgress.Presets.shades_classic,
    );
    bar.start(total, 0, { figures: '' });
    return bar;
  }
}

function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–:––';
  const s = Math.round(seconds);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}
