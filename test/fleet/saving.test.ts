import { expect, it } from 'vitest';
import { answerSaves, SaveRequests } from '../../src/fleet/saving.js';
import { robotTopics, runTopics } from '../../src/fleet/topics.js';
import { broker, eventually, link, names } from './support.js';

it('a robot has the learner of its run save, over the broker between them', async () => {
  const { url } = await broker();
  const robot = await SaveRequests.create(await link(url), names);
  const other = await SaveRequests.create(await link(url), { ...names, robot: 'other' });
  const lines: string[] = [];
  const learner = await link(url, { onNotice: (line) => lines.push(line) });
  await expect(robot.save(0.05)).rejects.toThrow('no learner has saved within 0.05 s');

  let saves = 0;
  let written = () => {};
  const writing = () =>
    new Promise<void>((resolve) => {
      written = resolve;
    });
  await answerSaves(learner, { ...names, learner: 'f00d' }, () => {
    saves++;
    return writing();
  });
  let answer = '';
  const asked = robot.save(30).then((name) => {
    answer = name;
  });
  await eventually('asked', () => saves === 1);
  expect(answer).toBe('');
  written();
  await asked;
  expect(answer).toBe('f00d');
  // Another robot's answer is not this one's, and a stranger's noise is nobody's.
  const waiting = other.save(30);
  await eventually('asked again', () => saves === 2);
  const stranger = await link(url);
  stranger.publish(runTopics(names.site, names.run).save('stranger'), '{"id": 5}');
  stranger.publish(robotTopics(names.site, 'other').saved, '{"id": "0123456789abcdef", "learner": "x"}');
  await eventually('the refusal', () => lines.length > 0);
  expect(lines[0]).toContain('save/stranger: expected JSON {id}');
  written();
  expect(await waiting).toBe('f00d');
  expect(saves).toBe(2);
});
