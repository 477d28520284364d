import { decode, encode } from '../codec.js';
import { checkAbsolute, checkNodeName, theyDoNotMeet } from './names.js';
import { type Qos, qosProfiles } from './qos.js';
import { loadRclnodejs, type RclContext, type RclNode, type Rclnodejs } from './rclnodejs.js';
import { CALL_TIMEOUT_S } from './services.js';
import type { Client, Closable, Publisher, Subscription, Transport, TransportNode } from './transport.js';

export interface RclOptions {
  /** `ROS_DOMAIN_ID` where not given. */
  readonly domain?: number;
  /** Whether to be found on this machine alone, unless the user's own settings of ROS 2 say otherwise. */
  readonly localOnly: boolean;
  readonly onNotice: (line: string) => void;
}

/** How long a node's thread waits for messages before it looks for new subscriptions. */
const SPIN_MS = 10;
/** How often it is looked who publishes under another type on a topic that is subscribed. */
const LOOK_MS = 2000;

/**
 * ROS 2 itself, through rclnodejs: where it is sourced. Streams go through it as bytes; services as
 * objects, since it has no way for their bytes. Names, remapping, parameters and lifecycle are
 * Reverie's own on every transport, so rcl is given no arguments.
 */
export class RclTransport implements Transport {
  readonly name = 'rclnodejs';
  private readonly nodes = new Set<Node>();

  private constructor(
    private readonly rcl: Rclnodejs,
    private readonly context: RclContext,
    private readonly onNotice: (line: string) => void,
  ) {}

  /** @throws UserError where ROS 2 or rclnodejs is missing */
  static async open({ domain, localOnly, onNotice }: RclOptions): Promise<RclTransport> {
    const rcl = await loadRclnodejs();
    if (localOnly) stayOnThisMachine();
    const context = new rcl.Context(domain === undefined ? undefined : BigInt(domain));
    await rcl.init(context, []);
    return new RclTransport(rcl, context, onNotice);
  }

  node(name: string, namespace: string): TransportNode {
    checkNodeName(name);
    checkAbsolute(namespace, 'namespace');
    const options = new this.rcl.NodeOptions();
    options.startParameterServices = false;
    options.startTypeDescriptionService = false;
    const node = new this.rcl.Node(name, namespace, this.context, options, [], false);
    node.spin(SPIN_MS);
    const opened = new Node(this.rcl, node, name, namespace, this.onNotice, () => this.nodes.delete(opened));
    this.nodes.add(opened);
    return opened;
  }

  async close(): Promise<void> {
    for (const node of [...this.nodes]) node.close();
    this.context.shutdown();
  }
}

class Node implements TransportNode {
  private readonly open = new Set<Closable>();
  private readonly subscribed = new Map<object, { readonly topic: string; readonly type: string }>();
  private readonly told = new Set<string>();
  private readonly looking: NodeJS.Timeout;
  private closed = false;

  constructor(
    private readonly rcl: Rclnodejs,
    private readonly node: RclNode,
    readonly name: string,
    readonly namespace: string,
    private readonly onNotice: (line: string) => void,
    private readonly onClosed: () => void,
  ) {
    this.looking = setInterval(() => this.lookForOtherTypes(), LOOK_MS);
    this.looking.unref();
  }

  advertise(topic: string, type: string, qos: Qos): Publisher {
    const publisher = this.node.createPublisher(type, checkAbsolute(topic, 'topic'), { qos: this.qos(qos) });
    const held = this.hold(() => this.node.destroyPublisher(publisher));
    return {
      get matched() {
        return held.isOpen() ? publisher.subscriptionCount : 0;
      },
      publish: (bytes) => {
        if (held.isOpen()) publisher.publish(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      },
      close: held.close,
    };
  }

  subscribe(topic: string, type: string, qos: Qos, onMessage: (bytes: Uint8Array) => void): Subscription {
    const options = { qos: this.qos(qos), isRaw: true } as const;
    const subscription = this.node.createSubscription(
      type,
      checkAbsolute(topic, 'topic'),
      options,
      (bytes) => {
        if (held.isOpen()) onMessage(bytes);
      },
    );
    this.subscribed.set(subscription, { topic, type });
    const held = this.hold(() => {
      this.subscribed.delete(subscription);
      this.node.destroySubscription(subscription);
    });
    return {
      get matched() {
        return held.isOpen() ? subscription.publisherCount : 0;
      },
      close: held.close,
    };
  }

  serve(
    service: string,
    type: string,
    answer: (request: Uint8Array) => Uint8Array | Promise<Uint8Array>,
  ): Closable {
    const options = { qos: this.qos(qosProfiles.services) };
    const server = this.node.createService(
      type,
      checkAbsolute(service, 'service'),
      options,
      async (request, response) => {
        try {
          const bytes = await answer(encode(`${type}_Request`, request));
          if (held.isOpen()) response.send(decode(`${type}_Response`, bytes) as object);
        } catch (error) {
          this.onNotice(`${service}: ${(error as Error).message}`);
        }
      },
    );
    const held = this.hold(() => this.node.destroyService(server));
    return held;
  }

  client(service: string, type: string): Client {
    const options = { qos: this.qos(qosProfiles.services) };
    const client = this.node.createClient(type, checkAbsolute(service, 'service'), options);
    const held = this.hold(() => this.node.destroyClient(client));
    return {
      get ready() {
        return held.isOpen() && client.isServiceServerAvailable();
      },
      call: async (request, timeout_s = CALL_TIMEOUT_S) => {
        const asked = decode(`${type}_Request`, request) as object;
        try {
          return encode(
            `${type}_Response`,
            await client.sendRequestAsync(asked, { timeout: 1e3 * timeout_s }),
          );
        } catch (error) {
          if ((error as Error).name !== 'TimeoutError') throw error;
          throw new Error(`${service}: no answer within ${timeout_s} s`);
        }
      },
      close: held.close,
    };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.looking);
    for (const each of [...this.open]) each.close();
    this.node.destroy();
    this.onClosed();
  }

  private qos({ depth, reliability, durability }: Qos): object {
    const { QoS } = this.rcl;
    const all = depth === 'all';
    return new QoS(
      QoS.HistoryPolicy[`RMW_QOS_POLICY_HISTORY_KEEP_${all ? 'ALL' : 'LAST'}`],
      all ? 0 : depth,
      QoS.ReliabilityPolicy[`RMW_QOS_POLICY_RELIABILITY_${reliability.toUpperCase()}`],
      QoS.DurabilityPolicy[`RMW_QOS_POLICY_DURABILITY_${durability.toUpperCase()}`],
    );
  }

  private hold(destroy: () => void): Closable & { isOpen(): boolean } {
    const held = {
      isOpen: () => this.open.has(held),
      close: () => {
        if (this.open.delete(held)) destroy();
      },
    };
    this.open.add(held);
    return held;
  }

  /** ROS 2 joins endpoints of one type alone and is silent about the rest: say it, once for each. */
  private lookForOtherTypes(): void {
    for (const { topic, type } of this.subscribed.values())
      for (const { topic_type } of this.node.getPublishersInfoByTopic(topic)) {
        if (topic_type === type) continue;
        const line = theyDoNotMeet(topic, topic_type, type);
        if (!this.told.has(line)) this.onNotice(line);
        this.told.add(line);
      }
  }
}

/** ROS 2 knows no credentials, and by default it speaks to the whole network. */
function stayOnThisMachine(): void {
  const { env } = process;
  if (env.ROS_LOCALHOST_ONLY || env.ROS_AUTOMATIC_DISCOVERY_RANGE) return;
  if (env.ROS_DISTRO === 'humble') env.ROS_LOCALHOST_ONLY = '1';
  else env.ROS_AUTOMATIC_DISCOVERY_RANGE = 'LOCALHOST';
}
