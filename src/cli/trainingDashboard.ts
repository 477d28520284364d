import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ShowFrame, ShowStart, ShowWatched } from '../../sim/showProcess.js';
import { Frame, frameSizes } from '../dashboard/frame.js';
import type { Hello, WorldModelNote } from '../dashboard/protocol.js';
import type { Launch } from '../launch/launch.js';
import { robotOf } from '../launch/robotOf.js';
import type { Robot } from '../robot/load.js';
import { feetOf } from '../robot/spec.js';
import { DashboardLink } from './dashboardLink.js';
import { DREAM_FILES } from './worldModel.js';

/** Names of the files that `reverie train` keeps in a run's folder. */
const FILES = {
  identity: 'run.json',
  checkpoint: 'checkpoint.bin',
  metrics: 'metrics.jsonl',
  dream: DREAM_FILES.traces,
} as const;
const LOOK_MS = 500;
/** Learning goes before showing what was learned. */
const NICE = 10;

/**
 * The dashboard while a policy is still being learned: its curves as they grow, and the newest
 * checkpoint on a simulated robot. It reads the files of the run, and closes before the robot's own
 * dashboard opens at the same address, where open pages find it.
 */
export class TrainingDashboard {
  private readonly frame: Frame;
  private readonly ticker: NodeJS.Timeout;
  private show: ChildProcess | undefined;
  /** Lines of the metrics that were sent. */
  private sent = 0;
  /** When what was sent of a world model was written. */
  private dreamt_ms = 0;

  private constructor(
    private readonly launch: Launch,
    private readonly robot: Robot,
    private readonly run: string,
    private readonly link: DashboardLink,
  ) {
    const { joints, objects } = robot.spec;
    this.frame = new Frame(frameSizes({ joints, objects, feet: feetOf(robot.spec) }));
    this.frame.isTruth = true;
    this.ticker = setInterval(() => {
      this.tell();
      this.tellDream();
    }, LOOK_MS);
  }

  /** @param run folder of a run that is about to start anew: curves of an older one are forgotten */
  static async open(
    launch: Launch,
    run: string,
    training: NonNullable<Hello['training']>,
    notice: (line: string) => void,
  ): Promise<TrainingDashboard> {
    for (const file of [FILES.metrics, FILES.checkpoint, FILES.dream])
      rmSync(join(run, file), { force: true });
    const robot = robotOf(launch);
    let dashboard: TrainingDashboard | undefined;
    const link = await DashboardLink.open(launch, robot, {
      onMessage: (page, message) => {
        if (message.kind === 'hand') return;
        const reasons = ['there is no robot yet: a policy is being learned in simulation'];
        link.send({ kind: 'answer', page, id: message.id, ok: false, reasons });
      },
      onGone: () => {},
      onWatched: (watched) => dashboard?.watch(watched),
      onNotice: notice,
      teleop: { tool: false, poses: [] },
      training,
    });
    if (link.url) notice(`dashboard: ${link.url}`);
    dashboard = new TrainingDashboard(launch, robot, run, link);
    if (link.watched) dashboard.watch(true);
    return dashboard;
  }

  async close(): Promise<void> {
    clearInterval(this.ticker);
    this.show?.disconnect();
    await this.link.close();
  }

  /** Shows the robot only while somebody looks. */
  private watch(watched: boolean): void {
    if (watched) this.show ??= this.begin();
    if (this.show?.connected) this.show.send({ watched } satisfies ShowWatched);
  }

  private begin(): ChildProcess {
    const file = fileURLToPath(new URL('../../sim/showProcess.js', import.meta.url));
    const child = fork(file, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    if (child.pid !== undefined) setPriority(child.pid, NICE);
    child.on('error', () => {});
    child.on('message', ({ state, position_m, velocity_m_s, target_rad }: ShowFrame) => {
      const { frame } = this;
      frame.state.flat.set(state);
      frame.position_m.set(position_m);
      frame.velocity_m_s.set(velocity_m_s);
      frame.target_rad.set(target_rad);
      this.link.send({ kind: 'frame', flat: frame.flat });
    });
    child.send({
      robotPath: this.robot.path,
      task: this.launch.task,
      seed: this.launch.seed,
      identity: join(this.run, FILES.identity),
      checkpoint: join(this.run, FILES.checkpoint),
    } satisfies ShowStart);
    return child;
  }

  /** Hands on the lines of figures that are whole and new. */
  private tell(): void {
    const path = join(this.run, FILES.metrics);
    if (!existsSync(path)) return;
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const line of lines.slice(this.sent)) {
      const row: Readonly<Record<string, unknown>> = JSON.parse(line);
      const figures = Object.fromEntries(
        Object.entries(row).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
      );
      this.link.send({ kind: 'note', note: { kind: 'learner', figures } });
    }
    this.sent = lines.length;
  }

  /** Hands on what a world model expects, where there is one and it expects something new. */
  private tellDream(): void {
    const path = join(this.run, FILES.dream);
    const written_ms = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (written_ms === undefined || written_ms === this.dreamt_ms) return;
    this.dreamt_ms = written_ms;
    const dream: Omit<WorldModelNote, 'kind'> = JSON.parse(readFileSync(path, 'utf8'));
    this.link.send({ kind: 'note', note: { kind: 'world_model', ...dream } });
  }
}
