/**
 * Takes the dashboard's picture: a quadruped that walks, as a browser shows it.
 *
 *     node dist/bench/dashboard/picture.js docs/dashboard.png [dark]
 */
import { chromiumPath, NO_CHROMIUM, Run, startChromium } from '../../test/dashboard/support.js';

/** The traces show the last ten seconds. */
const FILLED_MS = 12_000;

const [out = 'docs/dashboard.png', scheme = 'light'] = process.argv.slice(2);
if (!chromiumPath) {
  process.stderr.write(`${NO_CHROMIUM}\n`);
  process.exit(1);
}
const run = new Run(
  ['robot: quadruped', 'task: walk'],
  ['--policy', 'quadruped-walk', '--dashboard-port', '0'],
);
const browser = await startChromium();
try {
  const page = await browser.newPage({
    viewport: { width: 1120, height: 700 },
    // A browser that draws in software has no time for a screenshot while it draws for the screen.
    reducedMotion: 'reduce',
    colorScheme: scheme === 'dark' ? 'dark' : 'light',
  });
  await page.goto(await run.url());
  await page.waitForFunction(() => {
    const canvas = document.querySelector<HTMLElement>('[data-testid=robot]');
    return Number(canvas?.dataset.pictures) > 3;
  });
  await page.waitForTimeout(FILLED_MS);
  await page.screenshot({ path: out });
} finally {
  await browser.close();
  await run.end();
}
