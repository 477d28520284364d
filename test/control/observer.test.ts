import { expect, it } from 'vitest';
import { DriveMode } from '../../src/robot/state.js';
import { eventually, startQuadruped } from './support.js';

it('shows the newest sample, command and motion to each observer for itself', async () => {
  const robot = await startQuadruped();
  try {
    await robot.arm();
    const [one, other] = [robot.observe(), robot.observe()];
    for (const observer of [one, other]) {
      await eventually('a sample', () => observer.update());
      const { time_s } = observer.state;
      await eventually('a newer sample', () => observer.update() && observer.state.time_s > time_s);
      await eventually('a command', () => observer.update() && observer.command.mode === DriveMode.track);
    }
    // The simulated trunk stands on its feet, and the estimate is one of a robot that stands.
    expect(one.truth.position_m[2]).toBeGreaterThan(0.1);
    expect(Math.hypot(...one.estimate.velocity_m_s)).toBeLessThan(0.5);
    expect(one.state.position_rad).toHaveLength(12);
  } finally {
    await robot.close();
  }
});
