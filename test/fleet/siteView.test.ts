import { describe, expect, it } from 'vitest';
import type { Link } from '../../src/fleet/link.js';
import { type SiteMessage, SiteView } from '../../src/fleet/siteView.js';
import type { Description, Health, Metrics } from '../../src/fleet/telemetry.js';
import { robotTopics, runTopics } from '../../src/fleet/topics.js';
import { broker, eventually, link, names } from './support.js';

const topics = robotTopics(names.site, 'arm-1');
const run = runTopics(names.site, names.run);

const description: Description = {
  schema: 1,
  robot: 'arm',
  joints: ['base'],
  control_hz: 500,
  policy_hz: 20,
  task: 'reach',
  parameters: { targets: 'near' },
  run: names.run,
  observation: [{ name: 'q', size: 1, unit: 'rad' }],
  action: { kind: 'delta', scale_rad: [0.1] },
  version: '0.1.0',
};

const health: Health = {
  mode: 'active',
  latched: null,
  asks_person: null,
  ticks: 500,
  missed_ticks: 0,
  late_p999_ms: 0.2,
  falls: 1,
  episodes: 2,
  safety_events: 3,
  spool_transitions: 4,
  spool_bytes: 5,
  spool_lost: 0,
  transitions: 6,
};

const metrics: Metrics = {
  updates: 10,
  updates_per_s: 5,
  transitions: 20,
  replay: 20,
  candidates: 1,
  published: 1,
  robots: 2,
  duplicates: 0,
  lost: 0,
  refused: 0,
};

interface Watched {
  readonly view: SiteView;
  readonly messages: SiteMessage[];
  readonly lines: string[];
}

async function watch(on: Link): Promise<Watched> {
  const messages: SiteMessage[] = [];
  const lines: string[] = [];
  const view = await SiteView.open(
    on,
    names.site,
    (message) => messages.push(message),
    (line) => lines.push(line),
  );
  return { view, messages, lines };
}

describe('a view of a site', () => {
  it('knows robots and learners by what they say, also what they said before', async () => {
    const { url } = await broker();
    const robot = await link(url, { presence: topics.presence });
    robot.report(topics.description, description, { retain: true, qos: 1 });
    const teacher = await link(url, { presence: run.presence('teacher') });
    const { view, messages } = await watch(await link(url));
    await eventually('who is there', () => view.robots.size === 1 && view.learners.size === 1);
    robot.report(topics.health, health);
    robot.report(topics.safety, { time_s: 1, cause: 'fall', joint: null, value: 1, limit: 0.5 });
    robot.report(topics.policy, { number: 7, id: 'abcdef0123456789', state: 'kept', reasons: [] });
    teacher.report(run.metrics('teacher'), { ...metrics, q_loss: 0.5 });
    await eventually('all said', () => messages.length === 7);
    const [seen] = view.robots.values();
    expect(seen).toMatchObject({ name: 'arm-1', online: true, safetyEvents: 1, missed: 0 });
    expect(seen).toMatchObject({ description, health, policy: 'abcdef01 kept' });
    const [learner] = view.learners.values();
    expect(learner).toMatchObject({ name: 'teacher', run: names.run, online: true, metrics });
    expect(view.refusals.total).toBe(0);
  });

  it('shows no experience, no acknowledgement and no piece of a policy', async () => {
    const { url } = await broker();
    const { messages } = await watch(await link(url));
    const other = await link(url);
    other.publish(run.experience('teacher', 'arm-1'), Buffer.from('RVX1'));
    other.publish(topics.stored, '{}');
    other.publish(run.chunk(0), Buffer.from('RVC1'));
    other.report(topics.health, health);
    await eventually('the last', () => messages.length > 0);
    expect(messages.map((m) => m.topic)).toEqual([topics.health]);
  });

  it('counts the reports that are missing between two', async () => {
    const { url } = await broker();
    const { view } = await watch(await link(url));
    const robot = await link(url);
    const send = (seq: number) => robot.publish(topics.health, JSON.stringify({ ...health, seq }));
    for (const seq of [254, 255, 0, 1, 5, 6]) send(seq);
    await eventually('the gap', () => view.robots.get('arm-1')?.missed === 3);
  });

  it('believes a will of the newest connection, and of no earlier one', async () => {
    const { url } = await broker();
    const { view, messages } = await watch(await link(url));
    const other = await link(url);
    const say = (online: boolean, bd_seq: number) =>
      other.publish(topics.presence, JSON.stringify({ online, bd_seq }));
    say(true, 5);
    say(false, 4);
    await eventually('both', () => messages.length === 2);
    expect(view.robots.get('arm-1')?.online).toBe(true);
    say(false, 5);
    await eventually('gone', () => view.robots.get('arm-1')?.online === false);
  });

  it('refuses what is not of its topic, counts it and says it once', async () => {
    const { url } = await broker();
    const { view, lines } = await watch(await link(url));
    const other = await link(url);
    for (let i = 0; i < 3; i++) {
      other.publish(topics.health, 'no JSON');
      other.publish(topics.health, JSON.stringify({ ...health, ticks: 'many' }));
      other.publish(topics.description, JSON.stringify({ ...description, schema: 2 }));
      other.publish(topics.presence, '[]');
    }
    await eventually('all refused', () => view.refusals.total === 12);
    expect(lines).toHaveLength(4);
    expect(view.robots.get('arm-1')?.health).toBeUndefined();
    expect(view.robots.get('arm-1')?.description).toBeUndefined();
  });
});
