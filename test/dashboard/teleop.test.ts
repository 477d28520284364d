import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Frame, frameSizes } from '../../src/dashboard/frame.js';
import type { ServerMessage } from '../../src/dashboard/protocol.js';
import { readRecording } from '../../src/recording/read.js';
import { Chain } from '../../src/robot/kinematics.js';
import { loadRobot } from '../../src/robot/load.js';
import { patientRobot } from '../patientRobot.js';
import { until } from '../until.js';
import { chromiumPath, NO_CHROMIUM, Run, startChromium } from './support.js';

if (!chromiumPath) process.stderr.write(`${NO_CHROMIUM}\n`);

/** A little less than the robot's own noise would ever make of standing still. */
const MOVED_M = 0.015;
const { spec } = loadRobot('arm');
const GRIPPER = spec.joints.findIndex((j) => j.name === 'gripper');

/** What the dashboard shows of the robot, seen beside the page. */
class Spectator {
  private readonly tool = new Chain(spec.chains.find((c) => c.kind === 'tool')!, spec);
  private readonly socket: WebSocket;
  private frame: Frame | undefined;
  authority = '';

  constructor(url: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/live`, { headers: { origin: url } });
    this.socket.on('message', (data: Buffer, binary) => {
      if (binary) {
        this.frame?.flat.set(new Float64Array(Uint8Array.from(data).buffer));
        return;
      }
      const message: ServerMessage = JSON.parse(data.toString());
      if (message.kind === 'hello') this.frame = new Frame(frameSizes(message));
      if (message.kind === 'status') this.authority = message.authority;
    });
  }

  /** Of the targets, which have no noise. */
  get tool_m(): readonly number[] {
    this.tool.update(this.frame!.target_rad);
    return [...this.tool.tip_m];
  }

  get gripper_rad(): number {
    return this.frame!.target_rad[GRIPPER];
  }

  /** Waits until nothing is asked of the robot any more. */
  async still(): Promise<void> {
    for (let before: readonly number[] = []; ; ) {
      const now = this.tool_m;
      if (before.length > 0 && Math.hypot(...now.map((x, k) => x - before[k])) < 1e-5) return;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  close(): void {
    this.socket.close();
  }
}

describe.skipIf(!chromiumPath)('a person at the dashboard leads the arm', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reverie-led-'));
  const path = join(folder, 'led.mcap');
  let run: Run;
  let browser: Browser;
  let page: Page;
  let seen: Spectator;

  beforeAll(async () => {
    const args = ['--policy', 'arm-reach', '--dashboard-port', '0', '--record', path];
    run = new Run([`robot: ${patientRobot('arm', folder)}`, 'task: reach'], args);
    const [chromium, url] = await Promise.all([startChromium(), run.url()]);
    browser = chromium;
    page = await browser.newPage({ viewport: { width: 900, height: 900 }, reducedMotion: 'reduce' });
    // A gamepad of the standard layout, since nothing here has one: buttons and axes are the test's.
    await page.addInitScript(() => {
      const pad = {
        id: 'Test pad (standard)',
        connected: true,
        axes: [0, 0, 0, 0],
        buttons: Array.from({ length: 17 }, () => ({ pressed: false, value: 0 })),
      };
      Object.assign(globalThis, { pad });
      navigator.getGamepads = () => [pad] as never;
    });
    await page.goto(url);
    seen = new Spectator(url);
    await until(() => seen.authority === 'policy', 60);
    // The page may know of the robot later than we do.
    await page.getByRole('button', { name: /^Take over/ }).click({ timeout: 60_000 });
    await until(() => seen.authority === 'person', 60);
    // From where it is easy to go anywhere.
    await page.getByRole('button', { name: 'Home' }).focus();
    await page.keyboard.down('Enter');
    const home = new Chain(spec.chains.find((c) => c.kind === 'tool')!, spec);
    home.update(spec.joints.map((j) => j.home_rad));
    await until(() => Math.hypot(...seen.tool_m.map((x, k) => x - home.tip_m[k])) < 0.01, 60);
    await page.keyboard.up('Enter');
    await page.locator('h1').click();
    await seen.still();
  });
  afterAll(async () => {
    seen?.close();
    await browser?.close();
    await run?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sets the gamepad. Buttons by their number in the standard layout. */
  const setPad = (axes: readonly number[], pressed: readonly number[]) =>
    page.evaluate(
      ([a, p]) => {
        const { pad } = globalThis as never as { pad: { axes: number[]; buttons: object[] } };
        pad.axes = [...a];
        pad.buttons = pad.buttons.map((_, i) => ({ pressed: p.includes(i), value: Number(p.includes(i)) }));
      },
      [axes, pressed] as const,
    );

  it('by keys, for as long as they are held', async () => {
    const from = seen.tool_m;
    await page.keyboard.down('w');
    await until(() => seen.tool_m[0] > from[0] + MOVED_M, 60);
    await page.keyboard.up('w');
    await seen.still();
    const there = seen.tool_m;
    await page.keyboard.down('a');
    await until(() => seen.tool_m[1] > there[1] + MOVED_M, 60);
    await page.keyboard.up('a');
    await seen.still();
    const open = seen.gripper_rad;
    await page.keyboard.down('o');
    await until(() => seen.gripper_rad > open + 0.1, 60);
    await page.keyboard.up('o');
  });

  it('by the gamepad, with the shoulder button as the switch', async () => {
    await seen.still();
    const from = seen.tool_m;
    await setPad([0, 1, 0, 0], []);
    await page.waitForTimeout(500);
    expect(Math.hypot(...seen.tool_m.map((x, k) => x - from[k]))).toBeLessThan(1e-3);
    await setPad([0, 1, 0, 0], [4]);
    await until(() => seen.tool_m[0] < from[0] - MOVED_M, 60);
    await setPad([0, 1, 0, 0], []);
    await seen.still();
    const low = seen.tool_m;
    await setPad([0, 0, 0, -1], [4]);
    await until(() => seen.tool_m[2] > low[2] + MOVED_M, 60);
    await setPad([0, 0, 0, 0], []);
  });

  it('by the stick under a finger, and gives back by the gamepad’s button', async () => {
    await seen.still();
    const from = seen.tool_m;
    const pad = page.getByRole('application', { name: /forward/ });
    await pad.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    const { x, y, width, height } = (await pad.boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + 4, { steps: 4 });
    await until(() => seen.tool_m[0] > from[0] + MOVED_M, 60);
    await page.mouse.up();
    await seen.still();
    await setPad([0, 0, 0, 0], [9]);
    await until(() => seen.authority === 'policy', 60);
  });

  it('and what was led is in the recording, labelled on the page', async () => {
    await page.getByRole('button', { name: 'Success' }).click();
    await page
      .getByTestId('recording')
      .filter({ hasText: /Episode \d+ runs/ })
      .waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByTestId('recording').filter({ hasText: 'paused' }).waitFor();
    await page.getByRole('button', { name: 'Go on' }).click();
    await run.end();
    const { episodes } = await readRecording(path);
    expect(episodes.some((e) => e.outcome === 'success')).toBe(true);
    const authorities = episodes.flatMap((e) => e.steps.map((s) => s.message.authority));
    expect(authorities).toEqual(expect.arrayContaining(['policy', 'person']));
  });
});
