import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, chromium } from 'playwright-core';
import { packageRoot } from '../../src/base/files.js';

/** Path of the system's Chromium, where there is one. */
export const chromiumPath: string | undefined = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Said where a test is skipped for want of it. */
export const NO_CHROMIUM =
  'Chromium is not installed (apt install chromium): the dashboard is not tested in a browser';

/** Renders WebGL in software, as a machine without a screen has to. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
      '--ignore-gpu-blocklist',
    ],
  });
}

/** `reverie run`, or another command that takes a launch file, in a process of its own, with its dashboard. */
export class Run {
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  readonly folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  private readonly child: ChildProcess;

  /** @param launch lines of the launch file beside the driver and the place of the runs */
  constructor(
    launch: readonly string[],
    args: readonly string[],
    private readonly command: 'run' | 'start' = 'run',
  ) {
    const path = join(this.folder, 'launch.yaml');
    writeFileSync(
      path,
      [...launch, 'driver: { kind: sim, seed: 1 }', `runs: ${this.folder}/runs`, ''].join('\n'),
    );
    this.child = spawn(process.execPath, [join(packageRoot, 'bin/reverie.js'), this.command, path, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Where a training run lies that the launch file does not say where to.
      cwd: this.folder,
      detached: this.isGroup,
    });
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.lines.push(line));
    this.child.stdout!.resume();
    this.ended = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
  }

  /** Ctrl-C in a terminal is for the training process too, and it is that which ends `start`. */
  private get isGroup(): boolean {
    return this.command === 'start';
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Where its dashboard listens. @throws Error where it does not say so in time */
  async url(): Promise<string> {
    for (const end = Date.now() + 40_000; Date.now() < end; ) {
      const line = this.lines.find((l) => l.startsWith('dashboard: http'));
      if (line) return line.slice('dashboard: '.length);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no dashboard:\n${this.lines.join('\n')}`);
  }

  /** Ends it as Ctrl-C does, or at once. */
  async end(signal: 'SIGINT' | 'SIGKILL' = 'SIGINT'): Promise<number | null> {
    if (this.isGroup) process.kill(-this.pid, signal);
    else this.child.kill(signal);
    const code = await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}
