import type { KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { saveFileAtomic } from '../base/files.js';
import { signatureFault } from '../policy/signature.js';
import type { Link } from './link.js';
import {
  type Chunk,
  decodeChunk,
  decodePolicy,
  type Offer,
  offerSchema,
  type PolicyStatus,
  type SentPolicy,
  sha256,
  signedOfferSchema,
} from './policyMessage.js';
import { MalformedMessage, Refusals } from './refusals.js';
import { robotTopics, runTopics } from './topics.js';
import { Trial, type TrialStep } from './trial.js';

export interface PolicyReceiverOptions {
  readonly site: string;
  readonly robot: string;
  readonly run: string;
  readonly policy_hz: number;
  /** Public keys whose policies may be loaded. */
  readonly trusted: readonly KeyObject[];
  /** What the robot runs already, given by its operator. */
  readonly initial?: SentPolicy;
  /** Where the policy in use and the one before it are kept over restarts. */
  readonly folder: string;
  /** Hands a policy to the robot. @returns why not; empty where it runs */
  readonly take: (policy: SentPolicy) => Promise<readonly string[]>;
  readonly onNotice: (line: string) => void;
}

const FILES = { current: 'current.rvp', previous: 'previous.rvp', state: 'state.json' } as const;

const stateSchema = z.object({ number: z.int(), state: z.string() });

/**
 * The robot's end of a policy roll-out: puts the pieces together, loads nothing that is not signed by
 * a key it trusts, takes what is for it, watches it for a while, and goes back to the policy before
 * when the new one is worse. Where there is none before, there is nothing to compare with or go back to.
 */
export class PolicyReceiver {
  readonly refusals: Refusals;
  /** Number of the newest offer that was dealt with. */
  private number = 0;
  private offer: Offer | undefined;
  /** Pieces of policies by their ids, in the order in which they were first heard of. */
  private readonly pieces = new Map<string, Map<number, Chunk>>();
  private readonly trial: Trial;
  private status: PolicyStatus | undefined;
  private working: Promise<void> = Promise.resolve();
  private closed = false;

  private constructor(
    private readonly link: Link,
    private readonly options: PolicyReceiverOptions,
  ) {
    this.refusals = new Refusals(options.onNotice);
    this.trial = new Trial(options.policy_hz);
    mkdirSync(options.folder, { recursive: true });
    const path = join(options.folder, FILES.state);
    if (existsSync(path)) {
      const state = stateSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
      if (state.success) this.number = state.data.number;
    }
  }

  static async create(link: Link, options: PolicyReceiverOptions): Promise<PolicyReceiver> {
    const receiver = new PolicyReceiver(link, options);
    await receiver.resume();
    const topics = runTopics(options.site, options.run);
    const { refusals } = receiver;
    await link.subscribe(topics.offer, (payload) => {
      refusals.guard(topics.offer, () => receiver.hear(payload));
    });
    const chunks = topics.chunk(0).replace(/0$/, '+');
    await link.subscribe(chunks, (payload) => {
      if (payload.length > 0) refusals.guard(chunks, () => receiver.collect(payload));
    });
    link.sayOnConnect(() => receiver.say());
    return receiver;
  }

  /** Goes on with the policy of the roll-out that ran when this robot was last switched off. */
  private async resume(): Promise<void> {
    const { folder, initial, take, onNotice } = this.options;
    if (initial) {
      // The operator's choice starts afresh.
      for (const file of [FILES.current, FILES.previous]) rmSync(join(folder, file), { force: true });
      return;
    }
    const kept = this.read(FILES.current);
    if (!kept) return;
    const refused = await take(kept);
    if (refused.length > 0) onNotice(`policy ${kept.manifest.name} is not resumed: ${refused.join('; ')}`);
  }

  /** Every policy step, for the comparison with the policy before. */
  see(step: TrialStep): void {
    const verdict = this.trial.see(step);
    if (!verdict || verdict.state === 'trial' || !this.status) return;
    if (verdict.state === 'kept') this.conclude('kept', []);
    else this.queue(() => this.rollBack(verdict.reasons));
  }

  private hear(payload: Buffer): void {
    if (payload.length === 0 || this.closed) return;
    const offer = this.verify(payload);
    if (offer.run !== this.options.run) throw new MalformedMessage(`an offer for run ${offer.run}`);
    if (offer.number < this.number)
      throw new MalformedMessage(`offer ${offer.number} is older than ${this.number}, which is known`);
    if (offer.number === this.number) return;
    this.offer = offer;
    if (offer.stage === 'canary' && !offer.canary.includes(this.options.robot)) {
      this.status = { number: offer.number, id: offer.id, state: 'waiting', reasons: [] };
      this.say();
      return;
    }
    this.tryToTake();
  }

  /** @throws MalformedMessage where it is not signed by a key that is trusted */
  private verify(payload: Buffer): Offer {
    let json: unknown;
    try {
      json = JSON.parse(payload.toString('utf8'));
    } catch {
      throw new MalformedMessage('expected JSON {offer, signature}');
    }
    const signed = signedOfferSchema.safeParse(json);
    if (!signed.success) throw new MalformedMessage('not signed; expected JSON {offer, signature}');
    const fault = signatureFault(signed.data.offer, signed.data.signature, this.options.trusted);
    if (fault) throw new MalformedMessage(fault);
    const offer = offerSchema.safeParse(JSON.parse(signed.data.offer));
    if (!offer.success) throw new MalformedMessage(`not an offer: ${z.prettifyError(offer.error)}`);
    return offer.data;
  }

  /** Pieces may come before the offer that they belong to, while another is still incomplete. */
  private collect(payload: Buffer): void {
    const chunk = decodeChunk(payload);
    const awaited = this.offer && this.offer.number > this.number ? this.offer.id : undefined;
    if (!this.pieces.has(chunk.id)) {
      const others = [...this.pieces.keys()].filter((id) => id !== awaited);
      if (others.length > 1) this.pieces.delete(others[0]);
      this.pieces.set(chunk.id, new Map());
    }
    this.pieces.get(chunk.id)!.set(chunk.index, chunk);
    if (chunk.id === awaited) this.tryToTake();
  }

  private tryToTake(): void {
    const { offer } = this;
    if (!offer || offer.number <= this.number || this.closed) return;
    if (offer.stage === 'canary' && !offer.canary.includes(this.options.robot)) return;
    const current = this.bytesOf(FILES.current);
    const running = current !== undefined && sha256(current) === offer.id;
    const bytes = running ? current : this.assembled(offer.id);
    if (!bytes) return;
    this.number = offer.number;
    this.pieces.delete(offer.id);
    this.queue(() => this.take(offer, bytes, running));
  }

  /** The whole policy, where all its pieces are there. */
  private assembled(id: string): Buffer | undefined {
    const pieces = [...(this.pieces.get(id)?.values() ?? [])].sort((a, b) => a.index - b.index);
    if (pieces.length === 0 || pieces.length < pieces[0].of) return undefined;
    return Buffer.concat(pieces.map((p) => p.bytes));
  }

  private async take(offer: Offer, bytes: Buffer, running: boolean): Promise<void> {
    const about = { number: offer.number, id: offer.id };
    if (running) {
      this.status = { ...about, state: 'kept', reasons: [] };
      this.conclude('kept', []);
      return;
    }
    let reasons: readonly string[];
    try {
      if (sha256(bytes) !== offer.id) throw new MalformedMessage('its pieces are not the policy (SHA-256)');
      reasons = await this.options.take(decodePolicy(bytes, this.options.trusted));
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.refusals.note(`policy refused: ${error.message}`);
      reasons = [error.message];
    }
    this.status = { ...about, state: 'trial', reasons: [] };
    if (reasons.length > 0) {
      this.conclude('refused', reasons);
      return;
    }
    const before = this.bytesOf(FILES.current);
    if (before) await saveFileAtomic(join(this.options.folder, FILES.previous), before);
    await saveFileAtomic(join(this.options.folder, FILES.current), bytes);
    if (before || this.options.initial) {
      this.trial.begin(offer.trial);
      this.say();
    } else this.conclude('kept', []);
  }

  private async rollBack(reasons: readonly string[]): Promise<void> {
    const { folder, initial, take, onNotice } = this.options;
    const [current, previous] = [FILES.current, FILES.previous].map((file) => join(folder, file));
    const before = this.read(FILES.previous) ?? initial;
    if (!before || !this.status) return;
    const refused = await take(before);
    rmSync(current);
    if (existsSync(previous)) renameSync(previous, current);
    onNotice(`back to the policy before: ${reasons.join('; ')}`);
    this.conclude('rolled_back', [...reasons, ...refused]);
  }

  private conclude(state: PolicyStatus['state'], reasons: readonly string[]): void {
    if (!this.status) return;
    this.status = { ...this.status, state, reasons: [...reasons] };
    const { number } = this;
    const path = join(this.options.folder, FILES.state);
    this.queue(() => saveFileAtomic(path, JSON.stringify({ number, state })));
    this.say();
  }

  /** One thing after the other, and none of them in the way of whoever asks. */
  private queue(work: () => Promise<void>): void {
    this.working = this.working.then(work).catch((error: Error) => {
      this.options.onNotice(`roll-out: ${error.message}`);
    });
  }

  /** Takes no more policies; waits for what is being written. */
  async close(): Promise<void> {
    this.closed = true;
    for (let last: unknown; last !== this.working; ) {
      last = this.working;
      await this.working;
    }
  }

  private say(): void {
    const { site, robot } = this.options;
    if (this.status) this.link.report(robotTopics(site, robot).policy, this.status, { retain: true, qos: 1 });
  }

  private bytesOf(file: string): Buffer | undefined {
    const path = join(this.options.folder, file);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  private read(file: string): SentPolicy | undefined {
    const bytes = this.bytesOf(file);
    return bytes && this.refusals.guard(file, () => decodePolicy(bytes, this.options.trusted));
  }
}
