/**
 * How quick the dashboard is, in a real Chromium: how soon it shows the robot, pictures a second, how old
 * what it shows is, and how soon an emergency stop acts after the pointer goes down: until the safety kernel
 * latches, in a control tick whose command is the first of the stop, and until the page says so.
 *
 *     node dist/bench/dashboard/main.js [--seconds 10] [--stops 50]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { now_s } from '../../src/control/clock.js';
import { chromiumPath, NO_CHROMIUM, Run, startChromium } from '../../test/dashboard/support.js';
import { writeQuickArm } from '../../test/teleop/support.js';
import { machine } from '../measure/machine.js';
import { quantile } from '../measure/rounds.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    stops: { type: 'string', default: '50' },
  },
});
/** A busy machine takes its time, and is measured all the same. */
const PATIENCE_MS = 120_000;
const seconds = Number(values.seconds);
const stops = Number(values.stops);
if (!chromiumPath) {
  process.stderr.write(`${NO_CHROMIUM}\n`);
  process.exit(1);
}

// The arm goes to its rest on an emergency stop, quickly here, and can be armed again at once.
const folder = mkdtempSync(join(tmpdir(), 'bench-dashboard-'));
writeQuickArm(join(folder, 'arm'));
const run = new Run(
  [`robot: ${join(folder, 'arm')}`, 'task: reach'],
  ['--policy', 'arm-reach', '--dashboard-port', '0'],
);
const browser = await startChromium();
try {
  const url = await run.url();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(PATIENCE_MS);
  const began = performance.now();
  await page.goto(url);
  await page.getByTestId('mode').waitFor();
  const opened_ms = performance.now() - began;
  await page.waitForFunction(() => {
    const canvas = document.querySelector<HTMLElement>('[data-testid=robot]');
    return Number(canvas?.dataset.pictures) > 0;
  });
  const pictured_ms = performance.now() - began;

  const pictures = () => page.getByTestId('robot').getAttribute('data-pictures').then(Number);
  const [first, from_ms] = [await pictures(), performance.now()];
  const ages = await page.evaluate(
    ([offset_s, length_ms]) =>
      new Promise<number[]>((resolve) => {
        const socket = new globalThis.WebSocket(new URL('live', document.baseURI).href.replace('http', 'ws'));
        socket.binaryType = 'arraybuffer';
        const found: number[] = [];
        socket.onmessage = ({ data }) => {
          if (typeof data !== 'string') found.push(Date.now() - 1e3 * (new Float64Array(data)[0] + offset_s));
        };
        setTimeout(() => resolve(found), length_ms);
      }),
    [Date.now() / 1e3 - now_s(), 1e3 * seconds] as const,
  );
  const fps = ((await pictures()) - first) / ((performance.now() - from_ms) / 1e3);

  // What is measured from here on is the way of the stop, and not how fast a processor paints.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(() => {
    addEventListener(
      'pointerdown',
      () => {
        document.body.dataset.clicked = String(Date.now());
      },
      { capture: true },
    );
    const latch = document.querySelector('[data-testid=latch]')!;
    new MutationObserver(() => {
      if (latch.textContent?.includes('Emergency stop')) document.body.dataset.shown ??= String(Date.now());
      else delete document.body.dataset.shown;
    }).observe(latch, { subtree: true, childList: true, characterData: true });
  });
  const stops_ms: number[] = [];
  const shown_ms: number[] = [];
  while (stops_ms.length < stops) {
    await page.getByTestId('authority').filter({ hasText: 'Policy' }).waitFor();
    const offset_s = Date.now() / 1e3 - now_s();
    await page.getByTestId('emergency-stop').click();
    await page.getByTestId('latch').filter({ hasText: 'Emergency stop' }).waitFor();
    const { clicked, shown } = await page.evaluate(() => ({ ...document.body.dataset }));
    const clicked_ms = Number(clicked);
    shown_ms.push(Number(shown) - clicked_ms);
    while (emergencyStops().length <= stops_ms.length) await page.waitForTimeout(20);
    stops_ms.push(1e3 * (emergencyStops()[stops_ms.length] + offset_s) - clicked_ms);
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('button', { name: 'Arm' }).click();
  }
  process.stdout.write(
    `${JSON.stringify({
      machine: machine(),
      opened_ms: Math.round(opened_ms),
      pictured_ms: Math.round(pictured_ms),
      fps: Number(fps.toFixed(1)),
      frame_age_ms: spread(ages),
      stops,
      stopped_ms: spread(stops_ms),
      shown_ms: spread(shown_ms),
    })}\n`,
  );
} finally {
  await browser.close();
  await run.end();
  rmSync(folder, { recursive: true, force: true });
}

function emergencyStops(): number[] {
  const runs = join(run.folder, 'runs');
  const lines = readFileSync(join(runs, readdirSync(runs)[0], 'safety.jsonl'), 'utf8').split('\n');
  return lines.filter((l) => l.includes('"emergency_stop"')).map((l) => JSON.parse(l).time_s);
}

function spread(values: readonly number[]): { p50: number; p95: number; max: number } {
  const at = (q: number) => Number(quantile(values, q).toFixed(1));
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
