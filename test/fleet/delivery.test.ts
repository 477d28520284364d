import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Experience, encodeExperience } from '../../src/fleet/experience.js';
import { ExperienceReceiver } from '../../src/fleet/experienceReceiver.js';
import { ExperienceSender } from '../../src/fleet/experienceSender.js';
import { broker, eventually, experience, link, opened, sizes } from './support.js';

const cursor = () => join(mkdtempSync(join(tmpdir(), 'reverie-fleet-')), 'received.json');

interface Store {
  readonly steps: number[];
  readonly gaps: number[];
  readonly store: (transitions: readonly Experience[], gap: boolean) => void;
}

function store(): Store {
  const steps: number[] = [];
  const gaps: number[] = [];
  return {
    steps,
    gaps,
    store: (transitions, gap) => {
      if (gap) gaps.push(transitions[0].step);
      steps.push(...transitions.map((t) => t.step));
    },
  };
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('experience over a broker', () => {
  it('arrives once and in order, and is forgotten by the robot when it is stored', async () => {
    const { url } = await broker();
    const into = store();
    const receiver = await ExperienceReceiver.create(await link(url, 'learner'), sizes, {
      ...into,
      path: cursor(),
    });
    const sender = opened(await ExperienceSender.create(await link(url, 'robot'), sizes));
    for (const n of upTo(300)) sender.add(experience(n));
    await eventually('all stored', () => sender.acknowledged === 300);
    expect(into.steps).toEqual(upTo(300));
    expect([receiver.stored, receiver.duplicates, receiver.lost, sender.lost]).toEqual([300, 0, 0, 0]);
  });

  it('is kept while there is no learner, and repeated until one has stored it', async () => {
    const { url } = await broker();
    const sender = opened(
      await ExperienceSender.create(await link(url, 'robot'), sizes, { resendAfter_s: 0.3 }),
    );
    for (const n of upTo(70)) sender.add(experience(n));
    // Sent to nobody: the broker took it, and that counts for nothing.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(sender.acknowledged).toBe(0);
    const into = store();
    await ExperienceReceiver.create(await link(url, 'learner'), sizes, { ...into, path: cursor() });
    await eventually('all stored', () => sender.acknowledged === 70);
    expect(into.steps).toEqual(upTo(70));
  });

  it('is not stored twice when the word that it is stored was lost with the learner', async () => {
    const { url } = await broker();
    const path = cursor();
    const into = store();
    const first = await link(url, 'learner');
    const robot = await link(url, 'robot');
    const before = await ExperienceReceiver.create(first, sizes, { ...into, path });
    // The robot never hears from this learner.
    first.publish = () => {};
    const sender = opened(await ExperienceSender.create(robot, sizes, { resendAfter_s: 0.3 }));
    for (const n of upTo(10)) sender.add(experience(n));
    await eventually('repeated to the first', () => before.duplicates > 0);
    expect(sender.acknowledged).toBe(0);
    await first.client.endAsync(true);
    const after = await ExperienceReceiver.create(await link(url, 'learner'), sizes, { ...into, path });
    for (const n of [10, 11]) sender.add(experience(n));
    await eventually('all stored', () => sender.acknowledged === 12);
    expect(into.steps).toEqual(upTo(12));
    expect(after.duplicates).toBeGreaterThan(0);
  });

  it('survives a broker that goes away and comes back', async () => {
    const first = await broker();
    const port = Number(new URL(first.url).port);
    const into = store();
    await ExperienceReceiver.create(await link(first.url, 'learner'), sizes, { ...into, path: cursor() });
    const sender = opened(
      await ExperienceSender.create(await link(first.url, 'robot'), sizes, { resendAfter_s: 0.3 }),
    );
    for (const n of upTo(5)) sender.add(experience(n));
    await eventually('stored', () => sender.acknowledged === 5);
    await first.close();
    for (let n = 5; n < 90; n++) sender.add(experience(n));
    await broker(port);
    await eventually('all stored', () => sender.acknowledged === 90);
    expect(into.steps).toEqual(upTo(90));
  });

  it('loses the oldest, counted on both sides, when nobody comes for long', async () => {
    const { url } = await broker();
    const sender = opened(await ExperienceSender.create(await link(url, 'robot'), sizes, { capacity: 20 }));
    const into = store();
    const learner = await link(url, 'learner');
    const receiver = await ExperienceReceiver.create(learner, sizes, { ...into, path: cursor() });
    for (const n of upTo(5)) sender.add(experience(n));
    await eventually('stored', () => sender.acknowledged === 5);
    for (let n = 5; n < 50; n++) sender.add(experience(n));
    await eventually('the rest', () => into.steps.at(-1) === 49);
    expect(into.steps).toEqual([...upTo(5), ...upTo(50).slice(30)]);
    expect([sender.lost, receiver.lost]).toEqual([25, 25]);
    expect(into.gaps).toEqual([0, 30]);
  });

  it('refuses what is malformed, says so once, and goes on', async () => {
    const { url } = await broker();
    const lines: string[] = [];
    const into = store();
    const receiver = await ExperienceReceiver.create(await link(url, 'learner'), sizes, {
      ...into,
      path: cursor(),
      onNotice: (line) => lines.push(line),
    });
    const robot = await link(url, 'robot');
    const { experience: topic } = robot.topics;
    for (let i = 0; i < 3; i++) robot.publish(topic, Buffer.from('hello'));
    const good = { session: '0011223344556677', first: 0, oldest: 0, transitions: [experience(0)] };
    robot.publish(topic, encodeExperience(good, sizes));
    await eventually('the good one', () => receiver.stored === 1);
    expect([...receiver.refusals.counts.values()]).toEqual([3]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('RVX1');
  });

  it('leaves a batch whose predecessor is missing for the sender to repeat', async () => {
    const { url } = await broker();
    const into = store();
    const receiver = await ExperienceReceiver.create(await link(url, 'learner'), sizes, {
      ...into,
      path: cursor(),
    });
    const robot = await link(url, 'robot');
    const send = (first: number, ...steps: number[]) => {
      const transitions = steps.map((n) => experience(n));
      const batch = { session: '0011223344556677', first, oldest: 0, transitions };
      robot.publish(robot.topics.experience, encodeExperience(batch, sizes));
    };
    send(0, 0, 1);
    send(4, 4, 5);
    send(1, 1, 2, 3);
    send(4, 4, 5);
    await eventually('all', () => receiver.stored === 6);
    expect(into.steps).toEqual(upTo(6));
    expect(receiver.duplicates).toBe(1);
  });
});
