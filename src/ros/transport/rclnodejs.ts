import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { UserError } from '../../base/errors.js';

/** What is used of rclnodejs 2.x, which is there only where ROS 2 is: its own types come at install. */
export interface Rclnodejs {
  readonly Context: new (domain?: bigint) => RclContext;
  readonly Node: new (
    name: string,
    namespace: string,
    context: RclContext,
    options: object,
    args: readonly string[],
    useGlobalArguments: boolean,
  ) => RclNode;
  readonly NodeOptions: new () => { startParameterServices: boolean; startTypeDescriptionService: boolean };
  readonly QoS: {
    new (history: number, depth: number, reliability: number, durability: number): object;
    readonly HistoryPolicy: Readonly<Record<string, number>>;
    readonly ReliabilityPolicy: Readonly<Record<string, number>>;
    readonly DurabilityPolicy: Readonly<Record<string, number>>;
  };
  init(context: RclContext, argv: readonly string[]): Promise<void>;
  removeSignalHandlers(): void;
}

export interface RclContext {
  shutdown(): void;
}

export interface RclNode {
  spin(timeout_ms: number): void;
  destroy(): void;
  createPublisher(type: string, topic: string, options: { qos: object }): RclPublisher;
  createSubscription(
    type: string,
    topic: string,
    options: { qos: object; isRaw: true },
    onMessage: (bytes: Buffer) => void,
  ): RclSubscription;
  createService(
    type: string,
    name: string,
    options: object,
    onRequest: (request: object, response: { send(response: object): void }) => void,
  ): object;
  createClient(type: string, name: string, options: object): RclClient;
  destroyPublisher(publisher: RclPublisher): void;
  destroySubscription(subscription: RclSubscription): void;
  destroyService(service: object): void;
  destroyClient(client: RclClient): void;
  getPublishersInfoByTopic(topic: string): { readonly topic_type: string }[];
}

export interface RclPublisher {
  readonly subscriptionCount: number;
  /** A `Buffer` goes out as it is, without its being encoded. */
  publish(bytes: Buffer): void;
}

export interface RclSubscription {
  readonly publisherCount: number;
}

export interface RclClient {
  isServiceServerAvailable(): boolean;
  sendRequestAsync(request: object, options: { timeout: number }): Promise<object>;
}

const VERSION = '2.2.0';
const PACKAGE = 'rclnodejs';
const require = createRequire(import.meta.url);

/**
 * Why rclnodejs is not to be had here. It has to be known before it is imported: where ROS 2 is not
 * sourced or its binary is missing the import starts a compiler, and in a worker thread it ends the process.
 */
export function whyNoRclnodejs(): string | undefined {
  const { AMENT_PREFIX_PATH, ROS_DISTRO } = process.env;
  if (!AMENT_PREFIX_PATH || !ROS_DISTRO)
    return 'ROS 2 is not sourced (AMENT_PREFIX_PATH, ROS_DISTRO): source /opt/ros/DISTRO/setup.bash';
  if (!isMainThread) return 'rclnodejs works in the main thread alone';
  let folder: string;
  try {
    folder = dirname(require.resolve(`${PACKAGE}/package.json`));
  } catch {
    // Without --save-prod npm takes it for the optional peer that it is, and installs nothing.
    return `rclnodejs is not installed: npm install --no-save --save-prod ${PACKAGE}@${VERSION}, with ROS 2 sourced`;
  }
  const binary = [join(folder, 'build/Release/rclnodejs.node'), prebuilt(folder, ROS_DISTRO)].some(
    existsSync,
  );
  return binary ? undefined : `rclnodejs has no binary for ${ROS_DISTRO} here: npm rebuild ${PACKAGE}`;
}

/** Whether the message package `ros/reverie_msgs` is built in a workspace that is sourced. */
export function reverieMsgsBuilt(): boolean {
  const prefixes = (process.env.AMENT_PREFIX_PATH ?? '').split(delimiter).filter((prefix) => prefix !== '');
  return prefixes.some((prefix) => existsSync(join(prefix, 'share/reverie_msgs/package.xml')));
}

/** @throws UserError where it is not to be had, saying what would bring it */
export async function loadRclnodejs(): Promise<Rclnodejs> {
  const why = whyNoRclnodejs();
  if (why) throw new UserError(why);
  // Not as a literal: TypeScript would look for its types.
  const name: string = PACKAGE;
  const { default: rcl } = (await import(name)) as { default: Rclnodejs };
  // On SIGINT it would end the context before the robot has stopped.
  rcl.removeSignalHandlers();
  return rcl;
}

/** Where the package keeps its binary for a distribution of ROS 2 on this system. */
function prebuilt(folder: string, distribution: string): string {
  const system = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(system)?.[1] ?? '';
  const { platform, arch } = process;
  const file = `${distribution}-${codename}-${arch}-node-rclnodejs.node`;
  return join(folder, 'prebuilds', `${platform}-${arch}`, file);
}
