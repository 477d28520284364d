import type { Link } from './link.js';
import { policyStatusSchema } from './policyMessage.js';
import { MalformedMessage, Refusals } from './refusals.js';
import {
  type Description,
  descriptionSchema,
  type Health,
  healthSchema,
  type Metrics,
  metricsSchema,
  presenceSchema,
} from './telemetry.js';
import { siteFilter } from './topics.js';

/** A robot as the broker tells of it. */
export interface RobotView {
  readonly name: string;
  online: boolean;
  description?: Description;
  health?: Health;
  policy?: string;
  safetyEvents: number;
  /** Reports that a gap in `seq` gives away. */
  missed: number;
}

export interface LearnerView {
  readonly name: string;
  readonly run: string;
  online: boolean;
  metrics?: Metrics;
}

/** A message of a site as a line for machines. */
export interface SiteMessage {
  readonly time: string;
  readonly topic: string;
  readonly payload: unknown;
}

const SEQUENCE = 256;

/** Everything that a site's robots and learners say of themselves, gathered from its topics. */
export class SiteView {
  readonly robots = new Map<string, RobotView>();
  readonly learners = new Map<string, LearnerView>();
  readonly refusals: Refusals;
  private readonly births = new Map<string, number>();
  private readonly seqs = new Map<string, number>();

  private constructor(
    private readonly onMessage: (message: SiteMessage) => void,
    onNotice: (line: string) => void,
  ) {
    this.refusals = new Refusals(onNotice);
  }

  static async open(
    link: Link,
    site: string,
    onMessage: (message: SiteMessage) => void,
    onNotice: (line: string) => void,
  ): Promise<SiteView> {
    const view = new SiteView(onMessage, onNotice);
    await link.subscribe(siteFilter(site), (payload, topic) => {
      view.refusals.guard(topic, () => view.take(topic.split('/').slice(3), topic, payload));
    });
    return view;
  }

  private take(path: readonly string[], topic: string, bytes: Buffer): void {
    const [kind, name, part, learner, last] = path;
    const ofRobot = kind === 'robot' && path.length === 3;
    const ofLearner = kind === 'run' && part === 'learner';
    // Experience and the pieces of policies are not for people.
    if ((!ofRobot && !ofLearner) || part === 'stored') return;
    const payload = parse(bytes);
    this.onMessage({ time: new Date().toISOString(), topic, payload });
    if (ofRobot) this.ofRobot(this.robot(name), part, payload);
    else if (last === 'presence')
      this.learner(name, learner).online = this.isOnline(`${name}/${learner}`, payload);
    else if (last === 'metrics') this.learner(name, learner).metrics = checked(metricsSchema, payload);
  }

  private ofRobot(robot: RobotView, part: string, payload: unknown): void {
    this.count(robot, payload);
    if (part === 'presence') robot.online = this.isOnline(robot.name, payload);
    else if (part === 'description') robot.description = checked(descriptionSchema, payload);
    else if (part === 'health') robot.health = checked(healthSchema, payload);
    else if (part === 'safety') robot.safetyEvents++;
    else if (part === 'policy') {
      const { id, state } = checked(policyStatusSchema, payload);
      robot.policy = `${id.slice(0, 8)} ${state}`;
    }
  }

  /** A will speaks for the connection whose birth has the same number, and for no later one. */
  private isOnline(who: string, payload: unknown): boolean {
    const { online, bd_seq } = checked(presenceSchema, payload);
    if (online) this.births.set(who, Math.max(bd_seq, this.births.get(who) ?? 0));
    return online || bd_seq < (this.births.get(who) ?? 0);
  }

  private count(robot: RobotView, payload: unknown): void {
    const { seq } = payload as { seq?: unknown };
    if (typeof seq !== 'number') return;
    const before = this.seqs.get(robot.name);
    // Retained messages and the birth are told again to whoever comes.
    if (before !== undefined && seq > before + 1) robot.missed += seq - before - 1;
    this.seqs.set(robot.name, seq === SEQUENCE - 1 ? -1 : seq);
  }

  private robot(name: string): RobotView {
    let view = this.robots.get(name);
    if (!view) {
      view = { name, online: false, safetyEvents: 0, missed: 0 };
      this.robots.set(name, view);
    }
    return view;
  }

  private learner(run: string, name: string): LearnerView {
    const key = `${run}/${name}`;
    let view = this.learners.get(key);
    if (!view) {
      view = { name, run, online: false };
      this.learners.set(key, view);
    }
    return view;
  }
}

function parse(bytes: Buffer): unknown {
  try {
    const value = JSON.parse(bytes.toString('utf8'));
    if (value !== null && typeof value === 'object') return value;
  } catch {}
  throw new MalformedMessage('expected a JSON object');
}

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

function checked<T>(schema: Schema<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new MalformedMessage('not of the schema of its topic');
  return result.data;
}
