import type { WebSocket } from 'ws';
import { z } from 'zod';

/**
 * The server's side of Foxglove's WebSocket protocol, as far as showing needs it: channels that can be
 * subscribed to. It takes nothing from its clients but subscriptions, so nobody moves a robot this way.
 * The subprotocol has two names, of the same messages: that of the specification
 * (github.com/foxglove/ws-protocol, docs/spec.md), and that which Foxglove's own SDK goes by now.
 */
export const FOXGLOVE_PROTOCOLS = ['foxglove.sdk.v1', 'foxglove.websocket.v1'] as const;

/** Channel as the protocol advertises it. */
export interface Channel {
  readonly topic: string;
  /** "cdr" for ROS 2. */
  readonly encoding: string;
  readonly schemaName: string;
  readonly schemaEncoding: string;
  readonly schema: string;
  /** Whether a late subscriber is sent the newest message at once (transient local, in ROS 2's words). */
  readonly latched?: boolean;
}

/** A client whose connection holds back more than this is spared the next messages. */
const MOST_WAITING_BYTES = 1 << 20;
const MESSAGE_DATA = 1;
const HEADER_BYTES = 13;
const Level = { warning: 1, error: 2 } as const;

const clientMessage = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('subscribe'),
    subscriptions: z.array(z.object({ id: z.int().min(0).max(0xffffffff), channelId: z.int() })).max(1000),
  }),
  z.object({ op: z.literal('unsubscribe'), subscriptionIds: z.array(z.int()).max(1000) }),
]);

interface Client {
  readonly socket: WebSocket;
  /** Subscription of each channel, by the channel's id. */
  readonly subscriptions: Map<number, number>;
}

export class FoxgloveServer {
  private readonly clients = new Set<Client>();
  private readonly ids = new Map<string, number>();
  private readonly newest = new Map<number, { readonly time_ns: bigint; readonly data: Uint8Array }>();

  /**
   * @param session changes when channels may have changed their meaning
   * @param onChange somebody came or went: see `watched`
   */
  constructor(
    private readonly name: string,
    private readonly session: string,
    private readonly channels: readonly Channel[],
    private readonly onChange: () => void = () => {},
  ) {
    channels.forEach(({ topic }, i) => {
      this.ids.set(topic, i + 1);
    });
  }

  /** Takes over a connection that agreed on one of the subprotocols. */
  accept(socket: WebSocket): void {
    const client: Client = { socket, subscriptions: new Map() };
    this.clients.add(client);
    socket.on('close', () => {
      this.clients.delete(client);
      this.onChange();
    });
    socket.on('message', (data, binary) => this.take(client, data.toString(), binary));
    const send = (message: unknown) => socket.send(JSON.stringify(message));
    send({ op: 'serverInfo', name: this.name, capabilities: [], sessionId: this.session });
    send({
      op: 'advertise',
      channels: this.channels.map(({ latched: _, ...channel }, i) => ({ id: i + 1, ...channel })),
    });
    this.onChange();
  }

  /** Whether anybody would see a message: where not, it need not be made. Latched ones are always wanted. */
  wants(topic: string): boolean {
    const id = this.id(topic);
    if (this.channels[id - 1].latched) return true;
    for (const { subscriptions } of this.clients) if (subscriptions.has(id)) return true;
    return false;
  }

  get watched(): boolean {
    return this.clients.size > 0;
  }

  /** @param time_ns when the message was made, since 1970 */
  publish(topic: string, time_ns: bigint, data: Uint8Array): void {
    const id = this.id(topic);
    if (this.channels[id - 1].latched) this.newest.set(id, { time_ns, data });
    for (const client of this.clients) {
      const subscription = client.subscriptions.get(id);
      if (subscription !== undefined) send(client, subscription, time_ns, data);
    }
  }

  private id(topic: string): number {
    const id = this.ids.get(topic);
    if (id === undefined) throw new RangeError(`no channel "${topic}"`);
    return id;
  }

  private take(client: Client, text: string, binary: boolean): void {
    const status = (level: number, message: string) =>
      client.socket.send(JSON.stringify({ op: 'status', level, message }));
    const message = binary ? undefined : parse(text);
    if (!message) {
      status(Level.warning, 'this server takes "subscribe" and "unsubscribe", and nothing else');
      return;
    }
    if (message.op === 'unsubscribe') {
      for (const [channel, subscription] of client.subscriptions)
        if (message.subscriptionIds.includes(subscription)) client.subscriptions.delete(channel);
      return;
    }
    for (const { id, channelId } of message.subscriptions) {
      if (!this.channels[channelId - 1]) {
        status(Level.error, `no channel ${channelId}`);
        continue;
      }
      client.subscriptions.set(channelId, id);
      const newest = this.newest.get(channelId);
      if (newest) send(client, id, newest.time_ns, newest.data);
    }
  }
}

function parse(text: string): z.output<typeof clientMessage> | undefined {
  try {
    const { success, data } = clientMessage.safeParse(JSON.parse(text));
    return success ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Message data: opcode, uint32 subscription, uint64 time in ns, then the message; little-endian. */
function send({ socket }: Client, subscription: number, time_ns: bigint, data: Uint8Array): void {
  if (socket.bufferedAmount > MOST_WAITING_BYTES) return;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + data.length);
  bytes.writeUInt8(MESSAGE_DATA, 0);
  bytes.writeUInt32LE(subscription, 1);
  bytes.writeBigUInt64LE(time_ns, 5);
  bytes.set(data, HEADER_BYTES);
  socket.send(bytes);
}
