import { randomBytes } from 'node:crypto';
import mqtt, { type MqttClient } from 'mqtt';
import { UserError } from '../base/errors.js';
import type { Role, Topics } from './topics.js';

const CONNECT_S = 5;
const RECONNECT_S = 0.5;
const FAREWELL_S = 1;

/** One process's connection to the broker, for one robot: who is there, and who takes which topic. */
export class Link {
  private readonly handlers = new Map<string, (payload: Buffer) => void>();
  /** When the connection was lost, ms of `Date.now()`; undefined while it stands. */
  private lost_ms: number | undefined;

  private constructor(
    readonly client: MqttClient,
    readonly topics: Topics,
    private readonly role: Role,
  ) {
    client.on('message', (topic, payload) => this.handlers.get(topic)?.(payload));
    client.on('connect', () => {
      this.lost_ms = undefined;
      this.announce(true);
    });
    client.on('close', () => {
      this.lost_ms ??= Date.now();
    });
    // Reconnecting is the client's business; an unhandled 'error' would end the process.
    client.on('error', () => {});
    this.announce(true);
  }

  /** @throws UserError where there is no broker */
  static async connect(url: string, topics: Topics, role: Role): Promise<Link> {
    try {
      const client = await mqtt.connectAsync(
        url,
        {
          protocolVersion: 4,
          clientId: `reverie-${role}-${randomBytes(6).toString('hex')}`,
          connectTimeout: 1e3 * CONNECT_S,
          reconnectPeriod: 1e3 * RECONNECT_S,
          // What is not said while connected is said anew by whoever has it to say.
          queueQoSZero: false,
          will: { topic: topics.presence[role], payload: presence(false), qos: 1, retain: true },
        },
        false,
      );
      return new Link(client, topics, role);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new UserError(`no MQTT broker at ${url} (${code ?? message})`);
    }
  }

  get connected(): boolean {
    return this.client.connected;
  }

  /** Seconds without a connection; 0 while it stands. */
  get silence_s(): number {
    return this.lost_ms === undefined ? 0 : (Date.now() - this.lost_ms) / 1e3;
  }

  /** One handler for each topic; subscribed anew by the client after a reconnect. */
  async subscribe(topic: string, handler: (payload: Buffer) => void): Promise<void> {
    this.handlers.set(topic, handler);
    await this.client.subscribeAsync(topic, { qos: 1 });
  }

  /** Sends and does not wait. Without a connection only what is retained is kept, to be sent after it. */
  publish(topic: string, payload: string | Buffer, options: { retain?: boolean } = {}): void {
    if (!this.client.connected && !options.retain) return;
    this.client.publish(topic, payload, { qos: 1, ...options }, () => {});
  }

  /** Says goodbye. What is still unsent after a moment is dropped: the broker may be gone for good. */
  async close(): Promise<void> {
    this.announce(false);
    const farewell = new Promise((resolve) => setTimeout(resolve, 1e3 * FAREWELL_S));
    await Promise.race([this.client.endAsync(!this.client.connected), farewell]);
    this.client.end(true);
  }

  private announce(online: boolean): void {
    if (!this.client.connected) return;
    this.publish(this.topics.presence[this.role], presence(online), { retain: true });
  }
}

function presence(online: boolean): string {
  return JSON.stringify({ online });
}
