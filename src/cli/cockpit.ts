import type { RobotProcess } from '../control/robotProcess.js';
import type { WorldModelReport } from '../fleet/telemetry.js';
import type { Launch } from '../launch/launch.js';
import type { Robot } from '../robot/load.js';
import { TeleopSession } from '../teleop/session.js';
import { DashboardLink } from './dashboardLink.js';
import { PageDesk } from './pageDesk.js';
import { PolicyShelf } from './policyShelf.js';
import type { Recording } from './recording.js';
import { RobotFeed } from './robotFeed.js';
import { type Station, toggle } from './teleopDevices.js';

/** The one key of an intervention. */
const TAKE = 't';

/** What a person has in front of them while a robot runs: the session of whoever takes it over, and the dashboard. */
export class Cockpit {
  /** For a device that a person holds in their hands. */
  readonly station: Station;
  private readonly listeners: ((key: string) => void)[] = [];

  private constructor(
    robot: RobotProcess,
    private readonly session: TeleopSession,
    notice: (line: string) => void,
    private readonly link: DashboardLink | undefined,
    private readonly feed: RobotFeed | undefined,
  ) {
    this.station = {
      session,
      robot,
      onKey: (listener) => this.listeners.push(listener),
      onNotice: notice,
    };
  }

  static async open(
    launch: Launch,
    robotFile: Robot,
    robot: RobotProcess,
    recording: () => Recording | undefined,
    notice: (line: string) => void,
  ): Promise<Cockpit> {
    const session = new TeleopSession(robot);
    if (!launch.dashboard.enabled) return new Cockpit(robot, session, notice, undefined, undefined);
    const shelf = new PolicyShelf(launch, robotFile.spec);
    const desk = new PageDesk(robot, session, shelf, recording, () => link);
    let link: DashboardLink | undefined;
    link = await DashboardLink.open(launch, robotFile, {
      onMessage: (page, message) => desk.take(page, message),
      onGone: (page) => desk.gone(page),
      onNotice: notice,
      teleop: { tool: session.canJog, poses: session.poses },
    });
    if (link.url) notice(`dashboard: ${link.url}`);
    link.send({ kind: 'note', note: shelf.list() });
    const feed = new RobotFeed(robot, link, () => recording()?.state);
    return new Cockpit(robot, session, notice, link, feed);
  }

  /** Figures of a learner, as they come. */
  showLearner(figures: Readonly<Record<string, number>>): void {
    this.link?.send({ kind: 'note', note: { kind: 'learner', figures } });
  }

  /** What a learner's world model expects, beside what happened. */
  showWorldModel(report: WorldModelReport): void {
    this.link?.send({ kind: 'note', note: { kind: 'world_model', ...report } });
  }

  /** A key of the terminal that is not the operator's own. */
  press(key: string): void {
    if (key === TAKE) void toggle(this.station);
    else for (const listener of this.listeners) listener(key);
  }

  async close(): Promise<void> {
    this.session.close();
    this.feed?.close();
    await this.link?.close();
  }
}
