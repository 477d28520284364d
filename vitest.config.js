import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Tests run from the compiled output, so that worker threads and child processes that a test
// starts are the very files that users run. `npm test` compiles first.
export default defineConfig({
  test: {
    include: ['dist/test/**/*.test.js'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Keys that robots and learners of the tests make are not the developer's.
    env: { REVERIE_CONFIG: join(tmpdir(), 'reverie-test-config') },
  },
});
