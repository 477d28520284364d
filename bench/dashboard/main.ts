/**
 * How quick the dashboard is, in a real Chromium: how soon it shows the robot, pictures a second, how old
 * what it shows is, and how soon an emergency stop is in the safety kernel after the pointer goes down.
 *
 *     node dist/bench/dashboard/main.js [seconds]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { now_s } from '../../src/control/clock.js';
import { chromiumPath, NO_CHROMIUM, Run, startChromium } from '../../test/dashboard/support.js';

const STOPS = 5;
const seconds = Number(process.argv[2] ?? 10);
if (!chromiumPath) {
  process.stderr.write(`${NO_CHROMIUM}\n`);
  process.exit(1);
}

// The arm goes to its rest on an emergency stop, and can be armed again at once.
const run = new Run(['robot: arm', 'task: reach'], ['--policy', 'arm-reach', '--dashboard-port', '0']);
const browser = await startChromium();
try {
  const url = await run.url();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
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
  });
  const stops_ms: number[] = [];
  while (stops_ms.length < STOPS) {
    await page.getByTestId('authority').filter({ hasText: 'Policy' }).waitFor();
    const offset_s = Date.now() / 1e3 - now_s();
    await page.getByTestId('emergency-stop').click();
    await page.getByTestId('latch').filter({ hasText: 'Emergency stop' }).waitFor();
    const clicked_ms = Number(await page.evaluate(() => document.body.dataset.clicked));
    while (emergencyStops().length <= stops_ms.length) await page.waitForTimeout(20);
    stops_ms.push(1e3 * (emergencyStops()[stops_ms.length] + offset_s) - clicked_ms);
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('button', { name: 'Arm' }).click();
  }
  process.stdout.write(
    `${JSON.stringify({
      opened_ms: Math.round(opened_ms),
      pictured_ms: Math.round(pictured_ms),
      fps: Number(fps.toFixed(1)),
      frame_age_ms: middle(ages),
      emergency_stop_ms: { median: middle(stops_ms), most: Number(Math.max(...stops_ms).toFixed(1)) },
    })}\n`,
  );
} finally {
  await browser.close();
  await run.end();
}

function emergencyStops(): number[] {
  const runs = join(run.folder, 'runs');
  const lines = readFileSync(join(runs, readdirSync(runs)[0], 'safety.jsonl'), 'utf8').split('\n');
  return lines.filter((l) => l.includes('"emergency_stop"')).map((l) => JSON.parse(l).time_s);
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Number(sorted[Math.floor(sorted.length / 2)]?.toFixed(1));
}
