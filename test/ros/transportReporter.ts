import type { Reporter, TestModule, TestSuite } from 'vitest/node';

/** Ends a run with one line for each transport: passed, failed, or absent and why. */
export default class TransportReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const suite of modules.flatMap((module) => [...module.children.suites()])) {
      const transport = /^transport '?([^']+)'?$/.exec(suite.name)?.[1];
      if (transport) process.stdout.write(`${transport}: ${verdict(suite)}\n`);
    }
  }
}

function verdict(suite: TestSuite): string {
  const tests = [...suite.children.allTests()];
  const of = (state: string) => tests.filter((test) => test.result().state === state);
  const absent = of('skipped').find((test) => test.name.startsWith('absent: '));
  if (absent) return absent.name;
  const failed = of('failed');
  if (failed.length > 0) return `failed: ${failed.map((test) => test.name).join('; ')}`;
  return `passed (${of('passed').length} tests)`;
}
