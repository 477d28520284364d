import type { KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/files.js';
import { signManifest, signText } from '../policy/signature.js';
import type { Link } from './link.js';
import {
  encodeChunks,
  encodePolicy,
  type Offer,
  offerSchema,
  type PolicyStatus,
  policyStatusSchema,
  type SentPolicy,
  sha256,
} from './policyMessage.js';
import { MalformedMessage, Refusals } from './refusals.js';
import { ANY, robotTopics, runTopics } from './topics.js';

export interface RolloutOptions {
  readonly site: string;
  readonly run: string;
  /** Signs what goes out. */
  readonly key: KeyObject;
  /** Robots that try a policy first; none: everybody at once. */
  readonly canary: readonly string[];
  readonly trial: Offer['trial'];
  /** Where the policy on offer and the one before are kept over restarts. */
  readonly folder: string;
  /** Enough robots went back to the policy before, which is on offer again. */
  readonly onWithdrawn?: () => void;
  readonly onNotice: (line: string) => void;
}

const FILES = { current: 'current.rvp', previous: 'previous.rvp', offer: 'offer.json' } as const;

/**
 * The learner's end of a policy roll-out. A policy goes to the canary robots first, and to the whole
 * fleet when all of them keep it; when one gives it back, the policy before is on offer again. On the
 * fleet it is withdrawn when half of the robots that tried it gave it back. The newest offer is
 * retained by the broker, so that a robot that was away finds it; and said again after every
 * reconnect, since a broker may have forgotten it.
 */
export class Rollout {
  private offer: Offer | undefined;
  private chunks = 0;
  /** Of the robots that answered the offer. */
  private readonly statuses = new Map<string, PolicyStatus['state']>();
  private decided: ((kept: boolean) => void) | undefined;

  private constructor(
    private readonly link: Link,
    private readonly options: RolloutOptions,
  ) {
    mkdirSync(options.folder, { recursive: true });
    const path = join(options.folder, FILES.offer);
    if (existsSync(path)) this.offer = offerSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  }

  static async create(link: Link, options: RolloutOptions): Promise<Rollout> {
    const rollout = new Rollout(link, options);
    const refusals = new Refusals(options.onNotice);
    await link.subscribe(robotTopics(options.site, ANY).policy, (payload, topic) => {
      refusals.guard(topic, () => rollout.hear(topic.split('/').at(-2)!, payload));
    });
    link.sayOnConnect(() => rollout.say());
    return rollout;
  }

  /**
   * Offers a policy.
   * @returns true once it is offered to the fleet, false when the canary robots gave it back. Newer
   *   ones wait for that.
   */
  async publish(policy: SentPolicy): Promise<boolean> {
    const manifest = signManifest(policy.manifest, this.options.key);
    this.keep(encodePolicy({ ...policy, manifest }));
    const { canary } = this.options;
    const decided = new Promise<boolean>((resolve) => {
      this.decided = resolve;
    });
    this.put(canary.length > 0 ? 'canary' : 'fleet', this.bytesOf(FILES.current)!);
    if (canary.length === 0) this.decide(true);
    else this.options.onNotice(`policy ${manifest.name} goes to ${canary.join(', ')} first`);
    return decided;
  }

  private keep(bytes: Buffer): void {
    const { folder } = this.options;
    const current = join(folder, FILES.current);
    if (existsSync(current)) renameSync(current, join(folder, FILES.previous));
    writeFileAtomic(current, bytes);
  }

  private put(stage: Offer['stage'], bytes: Buffer): void {
    const { run, canary, trial, folder } = this.options;
    // Milliseconds: a learner that starts anew must not count lower than the one before it.
    const number = Math.max((this.offer?.number ?? 0) + 1, Date.now());
    this.offer = {
      schema: 1,
      run,
      number,
      id: sha256(bytes),
      bytes: bytes.length,
      stage,
      canary: [...canary],
      trial,
    };
    this.statuses.clear();
    writeFileAtomic(join(folder, FILES.offer), JSON.stringify(this.offer));
    this.say();
  }

  /** Pieces first: a robot that hears the offer has them then, or gets them in a moment. */
  private say(): void {
    const { offer } = this;
    const bytes = this.bytesOf(FILES.current);
    if (!offer || !bytes || !this.link.connected) return;
    const topics = runTopics(this.options.site, this.options.run);
    const chunks = encodeChunks(bytes);
    chunks.forEach((chunk, i) => {
      this.link.publish(topics.chunk(i), chunk, { retain: true });
    });
    // Nothing of a longer policy before is left behind.
    for (let i = chunks.length; i < this.chunks; i++)
      this.link.publish(topics.chunk(i), '', { retain: true });
    this.chunks = chunks.length;
    const text = JSON.stringify(offer);
    const signed = { offer: text, signature: signText(text, this.options.key) };
    this.link.publish(topics.offer, JSON.stringify(signed), { retain: true });
  }

  private hear(robot: string, payload: Buffer): void {
    const { offer } = this;
    const status = parseStatus(payload);
    if (!offer || status.number !== offer.number) return;
    const before = this.statuses.get(robot);
    this.statuses.set(robot, status.state);
    const bad = status.state === 'rolled_back' || status.state === 'refused';
    if (bad && before !== status.state)
      this.options.onNotice(`${robot}: policy ${status.state}: ${status.reasons.join('; ')}`);
    if (offer.stage === 'canary') this.judgeCanary(offer);
    else this.judgeFleet();
  }

  private judgeCanary({ canary }: Offer): void {
    const states = canary.map((robot) => this.statuses.get(robot));
    if (states.some((s) => s === 'rolled_back' || s === 'refused')) {
      this.withdraw();
      this.decide(false);
    } else if (states.every((s) => s === 'kept')) {
      this.options.onNotice(`kept by ${canary.join(', ')}; now for the whole fleet`);
      this.put('fleet', this.bytesOf(FILES.current)!);
      this.decide(true);
    }
  }

  private judgeFleet(): void {
    const tried = [...this.statuses.values()].filter((s) => s !== 'waiting' && s !== 'trial');
    const back = tried.filter((s) => s === 'rolled_back').length;
    if (back === 0 || 2 * back < this.statuses.size) return;
    this.withdraw();
    this.options.onWithdrawn?.();
  }

  /** The policy before is on offer again, for everybody. */
  private withdraw(): void {
    const { folder, onNotice } = this.options;
    const previous = this.bytesOf(FILES.previous);
    if (!previous) return;
    writeFileAtomic(join(folder, FILES.current), previous);
    onNotice('the policy is withdrawn; the one before is on offer');
    this.put('fleet', previous);
  }

  private decide(kept: boolean): void {
    this.decided?.(kept);
    this.decided = undefined;
  }

  private bytesOf(file: string): Buffer | undefined {
    const path = join(this.options.folder, file);
    return existsSync(path) ? readFileSync(path) : undefined;
  }
}

function parseStatus(payload: Buffer): PolicyStatus {
  try {
    const result = policyStatusSchema.safeParse(JSON.parse(payload.toString('utf8')));
    if (result.success) return result.data;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new MalformedMessage('expected JSON {number, id, state, reasons}');
}
