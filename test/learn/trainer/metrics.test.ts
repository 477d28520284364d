import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetricsWriter, RunLog, readMetrics } from '../../../src/learn/trainer/metrics.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrics-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);

describe('metrics', () => {
  it('are JSON lines with keys in the order given and null for what is not finite', () => {
    const writer = new MetricsWriter(file('m.jsonl'));
    writer.write({ step: 1, return: 2.5, actor_loss: Number.NaN });
    writer.write({ step: 2, phase: 'evaluation', passed: true });
    writer.close();
    expect(readFileSync(file('m.jsonl'), 'utf8')).toBe(
      '{"step":1,"return":2.5,"actor_loss":null}\n{"step":2,"phase":"evaluation","passed":true}\n',
    );
    expect(readMetrics(file('m.jsonl'))).toEqual([
      { step: 1, return: 2.5, actor_loss: null },
      { step: 2, phase: 'evaluation', passed: true },
    ]);
  });

  it('of an interrupted and resumed run are the bytes of a run without interruption', () => {
    const whole = new RunLog(file(''));
    for (let step = 0; step < 10; step++) whole.write({ step, return: step / 3 });
    whole.close();
    const expected = readFileSync(file('metrics.jsonl'), 'utf8');

    const first = new RunLog(file(''));
    for (let step = 0; step < 7; step++) first.write({ step, return: step / 3 });
    first.close();
    appendFileSync(file('metrics.jsonl'), '{"step":7,"ret');
    const second = new RunLog(file(''), 4);
    for (let step = 5; step < 10; step++) second.write({ step, return: step / 3 });
    second.close();
    expect(readFileSync(file('metrics.jsonl'), 'utf8')).toBe(expected);
  });

  it('keep the clock out of the file that a seed repeats', () => {
    const log = new RunLog(folder);
    log.write({ step: 10, return: 1 }, { wall_s: 3.2 });
    log.write({ step: 20, return: 2 });
    log.close();
    expect(readMetrics(file('metrics.jsonl'))).toEqual([
      { step: 10, return: 1 },
      { step: 20, return: 2 },
    ]);
    expect(readMetrics(file('timing.jsonl'))).toEqual([{ step: 10, wall_s: 3.2 }]);
  });

  it('start anew without a step to resume at', () => {
    writeFileSync(file('m.jsonl'), '{"step":1}\n');
    new MetricsWriter(file('m.jsonl')).close();
    expect(readMetrics(file('m.jsonl'))).toEqual([]);
  });

  it('name file and line that are wrong, and resuming leaves such a file as it is', () => {
    const text = '{"step":1}\n{"stop":2}\n{"step":3}\n';
    writeFileSync(file('m.jsonl'), text);
    expect(() => readMetrics(file('m.jsonl'))).toThrow(
      `${file('m.jsonl')}:2: expected a JSON object with a number "step", found {"stop":2}`,
    );
    expect(() => new MetricsWriter(file('m.jsonl'), 1)).toThrow(':2: ');
    expect(readFileSync(file('m.jsonl'), 'utf8')).toBe(text);
    expect(() => readMetrics(file('none.jsonl'))).toThrow('cannot be read (ENOENT)');
  });
});
