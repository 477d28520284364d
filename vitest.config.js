import { defineConfig } from 'vitest/config';

// Tests run from the compiled output, so that worker threads and child processes that a test
// starts are the very files that users run. `npm test` compiles first.
export default defineConfig({
  test: {
    include: ['dist/test/**/*.test.js'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
