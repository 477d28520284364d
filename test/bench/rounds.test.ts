import { expect, test } from 'vitest';
import { type Contender, interleave, median, pairedRatio, spread } from '../../bench/measure/rounds.js';

test('everybody runs once a round, there and back, after a first time that does not count', async () => {
  const order: string[] = [];
  const contender = (engine: string): Contender => ({
    engine,
    threads: 1,
    run: async () => order.push(engine),
  });
  const rates = await interleave([contender('a'), contender('b')], 0);
  expect(order.join('').slice(0, 10)).toBe('ababbaabba');
  // What `run` gave, without the first time.
  expect([...rates.values()][0].slice(0, 4)).toEqual([3, 6, 7, 10]);
});

test('medians and ratios are those of the rounds', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(spread([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])).toEqual([1, 9]);
  // Twice as fast in every round, however much the machine drifts.
  expect(pairedRatio([2, 20, 200, 4], [1, 10, 100, 2])).toBe(2);
});
