import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

/** Tests whose processes keep time, or that share a port or a display: one file after the other, with the machine for itself. */
const realTime = [
  'dist/test/{control,dashboard,drivers,teleop}/**/*.test.js',
  'dist/test/e2e/{camera,fleet,ros,run}.test.js',
  'dist/test/recording/{recorder,replay}.test.js',
  'dist/test/reset/supervisor.test.js',
  'dist/test/ros/{contract,interop,nodes,streams}.test.js',
];

// Tests run from the compiled output, so that worker threads and child processes that a test
// starts are the very files that users run. `npm test` compiles first.
export default defineConfig({
  test: {
    pool: 'forks',
    // For what hangs: how long a test takes on a busy machine says nothing of it.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Keys that robots and learners of the tests make are not the developer's.
    env: { REVERIE_CONFIG: join(tmpdir(), 'reverie-test-config') },
    projects: [
      {
        extends: true,
        test: {
          name: 'computing',
          include: ['dist/test/**/*.test.js'],
          exclude: [...configDefaults.exclude, ...realTime],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real time',
          include: realTime,
          maxWorkers: 1,
          // A machine that stands still for longer than a watchdog waits makes a robot stop, as it should: once more then, and once again.
          retry: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
