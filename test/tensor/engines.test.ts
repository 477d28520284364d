import { describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../src/base/errors.js';
import { compile, engineNames, Graph, gradients } from '../../src/tensor/index.js';
import * as t from '../../src/tensor/operations.js';
import { loadTensorflow } from '../../src/tensor/tfjs/load.js';
import { enginesAbsent, enginesHere } from './engines.js';
import { values } from './support.js';

// What is not tested here has to be seen by whoever reads the result.
for (const { name, found, help } of enginesAbsent)
  console.warn(`ENGINE NOT TESTED: ${name}: ${found}${help ? ` (would help: ${help})` : ''}`);

/** A step of gradient descent with a state that passes through unchanged, and outputs that are states or equal. */
function descent(): Graph {
  const g = new Graph();
  const x = g.input('x', [8, 5]);
  const w = g.state('w', [5, 3]);
  const kept = g.state('kept', [2]);
  const last = g.state('last', [8, 5]);
  const loss = t.mean(t.square(t.tanh(t.matmul(x, w))));
  const [gw] = gradients(loss, [w]);
  g.step(
    'descend',
    [
      [w, t.sub(w, t.mul(gw, 0.1))],
      [kept, kept],
      [last, x],
    ],
    { loss, again: loss, before: w, fed: x },
  );
  return g;
}

test('the engines that learners are tested on are onnx and tfjs at least', () => {
  expect(enginesHere).toEqual(expect.arrayContaining(['onnx', 'tfjs']));
  expect([...enginesHere, ...enginesAbsent.map((e) => e.name)].sort()).toEqual([...engineNames].sort());
});

test.each(enginesHere)(
  '%s keeps nothing of the arrays that it was fed, and hands out none of its own',
  async (engine) => {
    const program = await compile(descent(), { engine });
    onTestFinished(() => program.dispose());
    const start = values(1, [5, 3]);
    program.setState('w', start);
    const x = values(2, [8, 5]);
    await program.run('descend', { x });
    const fed = [...x];
    x.fill(7);
    start.fill(7);
    expect([...program.getState('last')]).toEqual(fed);
    const w = program.getState('w');
    const copy = [...w];
    w.fill(9);
    expect([...program.getState('w')]).toEqual(copy);
  },
);

test('TensorFlow.js frees what a step makes, and everything at the end', async () => {
  const loaded = await loadTensorflow();
  if (!('tf' in loaded)) throw new Error(loaded.found);
  const { tf } = loaded;
  const before = tf.memory().numTensors;
  const program = await compile(descent(), { engine: 'tfjs' });
  const counts: number[] = [];
  for (let i = 0; i < 5; i++) {
    await program.run('descend', { x: values(i, [8, 5]) });
    program.setState('w', values(i, [5, 3]));
    program.getState('w');
    await expect(program.run('descend', {})).rejects.toThrow('was not given');
    counts.push(tf.memory().numTensors);
  }
  expect(counts[0]).toBeGreaterThan(before);
  expect(new Set(counts).size).toBe(1);
  await program.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

describe('an engine', () => {
  test.runIf(enginesAbsent.length > 0)(
    'asked for by name and not there is one error with what would install it',
    async () => {
      const [{ name, found, help }] = enginesAbsent;
      const asked = compile(descent(), { engine: name });
      await expect(asked).rejects.toThrow(UserError);
      await expect(asked).rejects.toThrow(`engine "${name}" is not there: ${found}; would help: ${help}`);
    },
  );

  test('chosen by auto is said in one line, with the reason', async () => {
    const notes: string[] = [];
    const program = await compile(descent(), { onNote: (line) => notes.push(line) });
    await program.dispose();
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^engine \w+: /);
  });
});
