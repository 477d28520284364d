import { randomBytes } from 'node:crypto';
import mqtt, { type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt';
import { UserError } from '../base/errors.js';
import type { BrokerAccess } from './access.js';
import { Refusals } from './refusals.js';
import { matches } from './topics.js';

const CONNECT_S = 5;
/** Wait before a new connection, each time longer, so that a fleet does not fall upon a broker that comes back. */
const RECONNECT_S = { first: 0.5, longest: 8, growth: 1.5 } as const;
const FAREWELL_S = 1;
/** Sequence numbers go round at this, as in Sparkplug B. */
const SEQUENCE = 256;
/** "Unacceptable protocol version", of MQTT 3.1.1 and 5. */
const WRONG_VERSION = [1, 0x84];
/** A broker that is not there may come back; one that says no will say it again. */
const PASSING = /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE)$/;

export interface LinkOptions {
  /** Topic of birth and last will, retained; without one the process is not announced. */
  readonly presence?: string;
  /** Go on where the broker is not there yet. Wrong credentials and certificates are an error all the same. */
  readonly patient?: boolean;
  /** One line for people, each once. */
  readonly onNotice?: (line: string) => void;
}

export type Handler = (payload: Buffer, topic: string) => void;

/**
 * One process's connection to the broker. Presence in Sparkplug B's manner: a birth and a last will
 * that carry the same `bd_seq`, which grows with every connection, so that a will that comes late is
 * known for that of an older one; and a `seq` in every report, 0 in the birth, so that a reader sees
 * when one is missing.
 */
export class Link {
  readonly client: MqttClient;
  /** Refused by the broker: each said once. */
  readonly refusals: Refusals;
  private readonly handlers = new Map<string, Handler>();
  private readonly sayings: (() => void)[] = [];
  /** When the connection was lost, ms of `Date.now()`; undefined while it stands. */
  private lost_ms: number | undefined = Date.now();
  private wait_s: number = RECONNECT_S.first;
  private bdSeq = 0;
  private seq = 0;
  private connections_ = 0;

  private constructor(
    access: BrokerAccess,
    protocolVersion: 4 | 5,
    private readonly options: LinkOptions,
  ) {
    // The will is part of the connection, the first one too.
    const client = mqtt.connect(access.url, {
      ...clientOptions(access),
      protocolVersion,
      will: this.nextWill(),
    });
    this.client = client;
    this.refusals = new Refusals(options.onNotice ?? (() => {}));
    client.on('message', (topic, payload) => {
      for (const [filter, handle] of this.handlers) if (matches(filter, topic)) handle(payload, topic);
    });
    client.on('connect', () => {
      this.lost_ms = undefined;
      this.connections_++;
      this.wait_s = RECONNECT_S.first;
      this.spreadReconnects();
      this.announce(true);
      for (const say of this.sayings) say();
    });
    client.on('close', () => {
      this.lost_ms ??= Date.now();
      this.wait_s = Math.min(RECONNECT_S.longest, RECONNECT_S.growth * this.wait_s);
      this.spreadReconnects();
      client.options.will = this.nextWill();
    });
    // Reconnecting is the client's business; an unhandled 'error' would end the process.
    client.on('error', (error) => {
      const reason = reasonOf(error);
      // A broker that was not there at first, and turns out to be an older one.
      if (WRONG_VERSION.includes(codeOf(error) as number)) client.options.protocolVersion = 4;
      else if (!PASSING.test(reason)) this.refusals.note(`MQTT broker: ${reason}`);
    });
  }

  /** @throws UserError where there is no broker, or it does not let us in */
  static async connect(access: BrokerAccess, options: LinkOptions = {}): Promise<Link> {
    // The embedded broker speaks 3.1.1 alone, and says so.
    for (const protocolVersion of [5, 4] as const) {
      const link = new Link(access, protocolVersion, options);
      const refused = await link.first();
      if (!refused) return link;
      link.client.end(true);
      if (protocolVersion === 5 && WRONG_VERSION.includes(codeOf(refused) as number)) continue;
      throw new UserError(`no MQTT broker at ${access.url} (${reasonOf(refused)})`);
    }
    throw new Error('unreachable');
  }

  /** Waits for the first connection, or what stands against it. */
  private first(): Promise<Error | undefined> {
    const { client } = this;
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => done(this.options.patient ? undefined : new Error('no answer')),
        1e3 * CONNECT_S,
      );
      const onConnect = () => done(undefined);
      const onError = (error: Error) => {
        const passing = PASSING.test(reasonOf(error));
        if (!this.options.patient || !passing) done(error);
        else {
          this.options.onNotice?.(`no MQTT broker yet (${reasonOf(error)}); trying on`);
          done(undefined);
        }
      };
      const done = (error: Error | undefined) => {
        clearTimeout(timer);
        client.off('connect', onConnect).off('error', onError);
        resolve(error);
      };
      client.on('connect', onConnect).on('error', onError);
    });
  }

  get connected(): boolean {
    return this.client.connected;
  }

  /** Connections so far: grows when the broker was gone and is back. */
  get connections(): number {
    return this.connections_;
  }

  /** Does the broker deal out a shared subscription among those who have it? */
  get sharesSubscriptions(): boolean {
    return this.client.options.protocolVersion === 5;
  }

  /** Seconds without a connection; 0 while it stands. */
  get silence_s(): number {
    return this.lost_ms === undefined ? 0 : (Date.now() - this.lost_ms) / 1e3;
  }

  /** One handler for each filter; subscribed anew by the client after a reconnect. */
  async subscribe(filter: string, handler: Handler): Promise<void> {
    this.handlers.set(filter, handler);
    // Without a broker the client keeps it for the first connection.
    const subscribed = this.client.subscribeAsync(filter, { qos: 1 });
    if (this.connected) await subscribed;
    else subscribed.catch((error) => this.refusals.note(`MQTT broker: ${filter}: ${reasonOf(error)}`));
  }

  /** Says something now and after every reconnect: a broker that was killed may have forgotten what it retained. */
  sayOnConnect(say: () => void): void {
    this.sayings.push(say);
    if (this.connected) say();
  }

  /** Sends and does not wait. Without a connection it is dropped: what matters is said again. */
  publish(topic: string, payload: string | Buffer, options: IClientPublishOptions = {}): void {
    if (!this.client.connected) return;
    this.client.publish(topic, payload, { qos: 1, ...options }, (error) => {
      if (error && this.client.connected) this.refusals.note(`MQTT broker: ${topic}: ${reasonOf(error)}`);
    });
  }

  /** Publishes an object as JSON with the next sequence number. */
  report(topic: string, payload: object, options: IClientPublishOptions = {}): void {
    this.seq = (this.seq + 1) % SEQUENCE;
    this.publish(topic, JSON.stringify({ seq: this.seq, ...payload }), { qos: 0, ...options });
  }

  /** Says goodbye. What is still unsent after a moment is dropped: the broker may be gone for good. */
  async close(): Promise<void> {
    this.announce(false);
    const farewell = new Promise((resolve) => setTimeout(resolve, 1e3 * FAREWELL_S));
    await Promise.race([this.client.endAsync(!this.client.connected), farewell]);
    this.client.end(true);
  }

  private announce(online: boolean): void {
    const { presence } = this.options;
    if (!this.client.connected || !presence) return;
    this.seq = 0;
    const time = new Date().toISOString();
    const payload = JSON.stringify({ online, bd_seq: this.bdSeq, seq: 0, time });
    this.publish(presence, payload, { retain: true });
  }

  /** Robots that lost the broker at one moment come back at different ones. */
  private spreadReconnects(): void {
    this.client.options.reconnectPeriod = 1e3 * this.wait_s * (0.5 + Math.random());
  }

  /** The will of the next connection. Milliseconds grow over restarts too, without a file. */
  private nextWill(): IClientOptions['will'] {
    this.bdSeq = Math.max(this.bdSeq + 1, Date.now());
    const { presence } = this.options;
    if (!presence) return undefined;
    const payload = Buffer.from(JSON.stringify({ online: false, bd_seq: this.bdSeq }));
    return { topic: presence, payload, qos: 1, retain: true };
  }
}

function clientOptions({ username, password, ca, cert, key }: BrokerAccess): IClientOptions {
  return {
    clientId: `reverie-${randomBytes(8).toString('hex')}`,
    connectTimeout: 1e3 * CONNECT_S,
    reconnectPeriod: 1e3 * RECONNECT_S.first,
    // A refused connection is tried again: a broker may be back before its user list is.
    reconnectOnConnackError: true,
    // What is not said while connected is said anew by whoever has it to say.
    queueQoSZero: false,
    username,
    password,
    ca,
    cert,
    key,
  };
}

function codeOf(error: Error): number | string | undefined {
  return (error as unknown as { code?: number | string }).code;
}

function reasonOf(error: Error): string {
  const code = codeOf(error);
  // AggregateError of several addresses has its reasons inside, and no message.
  if (typeof code === 'string') return code;
  return error.message || error.name;
}
