import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UserError } from '../base/errors.js';
import { packageInfo } from '../base/packageInfo.js';
import { now_s } from '../control/clock.js';
import type { DashboardStart, Feed, FeedBack } from '../dashboard/feed.js';
import type { Hello, PageMessage } from '../dashboard/protocol.js';
import type { Launch } from '../launch/launch.js';
import type { Robot } from '../robot/load.js';
import { feetOf, type RobotSpec } from '../robot/spec.js';

const RESTART_MS = 1000;
const TOKEN = /^[A-Za-z0-9._~-]{16,}$/;

export interface DashboardLinkOptions {
  readonly onMessage: (page: number, message: PageMessage) => void;
  /** A page is gone; 0: all of them. */
  readonly onGone: (page: number) => void;
  readonly onNotice: (line: string) => void;
  /** What a person can do with this robot. */
  readonly teleop: Hello['teleop'];
  /** Where there is no robot yet. */
  readonly training?: Hello['training'];
  readonly onWatched?: (watched: boolean) => void;
}

/**
 * The robot process's end of the dashboard, which runs in a process of its own. When that dies it is
 * started again at the same address, where the pages that are open find it; the robot does not notice.
 */
export class DashboardLink {
  /** Whether somebody looks. */
  watched = false;
  /** Where it listens. */
  url: string | undefined;
  private child: ChildProcess | undefined;
  private closing = false;

  private constructor(
    private start: DashboardStart,
    private readonly options: DashboardLinkOptions,
  ) {}

  /**
   * @returns once it listens, or has said that it cannot where the launch file insists on no port
   * @throws UserError where a port that was asked for is taken, or token or certificate are no good
   */
  static async open(launch: Launch, robot: Robot, options: DashboardLinkOptions): Promise<DashboardLink> {
    const link = new DashboardLink(startOf(launch, robot, options), options);
    const refusal = await link.fork();
    if (refusal === undefined) return link;
    if (launch.dashboard.port !== undefined) throw new UserError(refusal);
    options.onNotice(refusal);
    link.closing = true;
    return link;
  }

  send(feed: Feed): void {
    if (this.child?.connected) this.child.send(feed, () => {});
  }

  async close(): Promise<void> {
    this.closing = true;
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    await ended;
  }

  /** @returns why it does not listen, where it does not */
  private fork(): Promise<string | undefined> {
    const file = fileURLToPath(new URL('./dashboardProcess.js', import.meta.url));
    const child = fork(file, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.child = child;
    createInterface({ input: child.stderr! }).on('line', (line) =>
      this.options.onNotice(`dashboard: ${line}`),
    );
    child.on('exit', (code, signal) => this.lost(signal ?? `exit code ${code}`));
    child.on('error', () => {});
    return new Promise((resolve) => {
      child.once('exit', () => resolve('the dashboard did not start'));
      child.on('message', (message: FeedBack) => {
        if (message.kind === 'listening') {
          this.url = message.url;
          // Open pages look for it where it was.
          this.start = { ...this.start, port: Number(new URL(message.url).port) };
          resolve(undefined);
        } else if (message.kind === 'failed') resolve(message.message);
        else this.take(message);
      });
      this.send(this.start);
    });
  }

  private take(message: FeedBack): void {
    if (message.kind === 'watched') {
      this.watched = message.watched;
      this.options.onWatched?.(message.watched);
    } else if (message.kind === 'gone') this.options.onGone(message.page);
    else if (message.kind === 'message') this.options.onMessage(message.page, message.message);
  }

  private lost(how: string): void {
    this.watched = false;
    this.options.onGone(0);
    if (this.closing || this.url === undefined) return;
    this.options.onNotice(`the dashboard is gone (${how}); the robot goes on, and it is started again`);
    setTimeout(() => {
      if (!this.closing) void this.fork().then((refusal) => refusal && this.options.onNotice(refusal));
    }, RESTART_MS).unref();
  }
}

function startOf(
  { dashboard, task }: Launch,
  robot: Robot,
  { teleop, training }: DashboardLinkOptions,
): DashboardStart {
  const { host, port, token_file, tls, names, foxglove_origins } = dashboard;
  const token = token_file === undefined ? undefined : readText(token_file, 'token_file').trim();
  if (token !== undefined && !TOKEN.test(token))
    throw new UserError(
      `${token_file}: expected a token of 16 or more letters, digits or "-._~"; openssl rand -hex 16 makes one`,
    );
  return {
    kind: 'start',
    host,
    port,
    token,
    tls: tls && {
      cert: readText(tls.certificate, 'tls.certificate'),
      key: readText(tls.key, 'tls.key'),
    },
    names,
    origins: foxglove_origins,
    robot: robot.path,
    clockOffset_s: Date.now() / 1e3 - now_s(),
    hello: { ...helloOf(robot.spec, task, teleop), ...(training && { training }) },
  };
}

function helloOf(spec: RobotSpec, task: string, teleop: Hello['teleop']): Hello {
  const indexOf = (name: string) => spec.joints.findIndex((j) => j.name === name);
  const legs = feetOf(spec).map((foot) => ({
    name: foot.name.replace(/_foot$/, ''),
    joints: foot.links.map((link) => indexOf(link.joint)),
  }));
  return {
    kind: 'hello',
    session: randomUUID(),
    version: packageInfo.version,
    robot: spec.name,
    task,
    base: spec.base,
    hasImu: spec.imu !== undefined,
    joints: spec.joints.map(({ name, position_rad, velocity_rad_s, torque_nm, temperature_max_c }) => ({
      name,
      position_rad,
      velocity_rad_s,
      torque_nm,
      temperature_max_c,
    })),
    groups: legs.length > 0 ? legs : [{ name: 'joints', joints: spec.joints.map((_, j) => j) }],
    feet: feetOf(spec).map((foot) => foot.name),
    objects: spec.objects.map((object) => object.name),
    teleop,
  };
}

function readText(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `dashboard.${key}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}
