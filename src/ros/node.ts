import { decode, encode } from './codec.js';
import { ParameterServer, type Parameters } from './parameters.js';
import type { ParameterRule } from './rosArguments.js';
import { timeOf } from './time.js';
import { resolveName } from './transport/names.js';
import type { Qos } from './transport/qos.js';
import type { Closable, Publisher, Subscription, Transport, TransportNode } from './transport/transport.js';
import type { MessageTypes, OwnTypeName, Time, TypeName } from './types.js';

export interface NodeOptions {
  readonly transport: Transport;
  /** Absolute; `/` for the root. */
  readonly namespace: string;
  /** From names to others: `{ cmd_vel: "/joy/cmd_vel" }`; `node:cmd_vel` for one node alone. */
  readonly remap: Readonly<Record<string, string>>;
  /** Stamps count from /clock. */
  readonly useSimTime?: boolean;
  /** ROS time; the system's clock where not given. */
  readonly now?: () => Time;
  /** Parameters that are set from outside as nodes start. */
  readonly parameterRules?: readonly ParameterRule[];
  /** Whether `reverie_msgs` is known to others. */
  readonly ownTypes?: boolean;
  /** One line for people. */
  readonly onNotice: (line: string) => void;
}

/** A ROS 2 node: names and remapping, typed messages, services, and parameters that others may set. */
export class RosNode {
  readonly parameters: ParameterServer;
  private readonly node: TransportNode;
  private readonly told = new Set<string>();
  private readonly remapped: ReadonlyMap<string, string>;

  constructor(
    name: string,
    private readonly options: NodeOptions,
    parameters: Parameters = {},
  ) {
    const { transport, namespace, remap, useSimTime = false, parameterRules } = options;
    this.node = transport.node(name, namespace);
    this.remapped = remappingOf(remap, name, namespace);
    const clock = { description: 'stamps count from /clock', type: 'bool', readOnly: true } as const;
    const declared = { use_sim_time: { ...clock, value: useSimTime }, ...parameters };
    this.parameters = new ParameterServer(this, declared, parameterRules);
  }

  get name(): string {
    return this.node.name;
  }

  /** In full: `/ns/name`. */
  get fullName(): string {
    return resolveName('~', this.node.name, this.node.namespace);
  }

  /** Relative, private or absolute name to the absolute one that it is remapped to. */
  resolve(name: string): string {
    const full = resolveName(name, this.node.name, this.node.namespace);
    return this.remapped.get(full) ?? full;
  }

  /** ROS time. */
  now(): Time {
    return this.options.now?.() ?? timeOf(Date.now() / 1e3);
  }

  /** For bytes that are made elsewhere: streams. */
  advertise(topic: string, type: string, qos: Qos): Publisher {
    return this.node.advertise(this.resolve(topic), type, qos);
  }

  /**
   * For types of Reverie's own: as they are where others know them, else as JSON in `std_msgs/String`.
   * @returns a function that publishes
   */
  ownPublisher<T extends OwnTypeName>(topic: string, type: T, qos: Qos): (message: MessageTypes[T]) => void {
    if (this.options.ownTypes) return this.publisher(topic, type, qos);
    const publish = this.publisher(topic, 'std_msgs/msg/String', qos);
    return (message) => publish({ data: JSON.stringify(message) });
  }

  /** @returns a function that publishes */
  publisher<T extends TypeName>(topic: string, type: T, qos: Qos): (message: MessageTypes[T]) => void;
  publisher(topic: string, type: string, qos: Qos): (message: unknown) => void;
  publisher(topic: string, type: string, qos: Qos): (message: never) => void {
    const publisher = this.advertise(topic, type, qos);
    return (message) => publisher.publish(encode(type, message));
  }

  /** A message that cannot be read is reported, the first on each topic, and goes no further. */
  subscribe<T extends TypeName>(
    topic: string,
    type: T,
    qos: Qos,
    onMessage: (message: MessageTypes[T]) => void,
  ): Subscription {
    const full = this.resolve(topic);
    return this.node.subscribe(full, type, qos, (bytes) => {
      let message: MessageTypes[T];
      try {
        message = decode(type, bytes);
      } catch (error) {
        this.noticeOnce(`${full}: not a ${type}: ${(error as Error).message}`, `${full} unreadable`);
        return;
      }
      onMessage(message);
    });
  }

  /** @param answer gets the decoded request and gives the response to be encoded */
  serve<Request, Response>(
    service: string,
    type: string,
    answer: (request: Request) => Response | Promise<Response>,
  ): Closable {
    return this.node.serve(this.resolve(service), type, async (bytes) =>
      encode(`${type}_Response`, await answer(decode(`${type}_Request`, bytes) as Request)),
    );
  }

  /** `std_srvs/srv/Trigger`. @param act says what it did; where it throws, the caller is told why it failed */
  trigger(service: string, act: () => string | Promise<string>): Closable {
    return this.serve(service, 'std_srvs/srv/Trigger', async () => {
      try {
        return { success: true, message: await act() };
      } catch (error) {
        return { success: false, message: (error as Error).message };
      }
    });
  }

  notice(line: string): void {
    this.options.onNotice(`${this.fullName}: ${line}`);
  }

  /** @param about what counts as the same: by default the line itself */
  noticeOnce(line: string, about = line): void {
    if (this.told.has(about)) return;
    this.told.add(about);
    this.notice(line);
  }

  close(): void {
    this.node.close();
  }
}

/** The rules that are for a node, from absolute names to absolute names. */
function remappingOf(rules: NodeOptions['remap'], node: string, namespace: string): Map<string, string> {
  const remapped = new Map<string, string>();
  for (const [rule, to] of Object.entries(rules)) {
    const [, only, from] = /^(?:(\w+):)?(.*)$/.exec(rule)!;
    if (only === undefined || only === node)
      remapped.set(resolveName(from, node, namespace), resolveName(to, node, namespace));
  }
  return remapped;
}
