import { setTimeout } from 'node:timers/promises';
import { UserError } from '../base/errors.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { PoseMotion } from '../safety/stop.js';
import type { RecordedEpisode } from './read.js';

export interface ReplayResult {
  /** Of the recording that were replayed. */
  readonly seconds: number;
  /** Between the joints' positions and those asked for, over the replay, joints and time: what limits and lag leave. */
  readonly mean_error_rad: number;
}

const PERIOD_MS = 20;
/** At least this long to the first pose, and longer where it is far. */
const EASE_S = 2;
const EASE_RAD_S = 0.5;

/** Asks a robot, as a person does, for what was commanded in a recorded episode. */
export class Replayer {
  private readonly times_s: Float64Array;
  private readonly targets_rad: readonly Float64Array[];
  private stopping = false;
  private seconds = 0;
  private errors = 0;
  private samples = 0;

  /** @param speed share of the recorded speed. @throws UserError where the episode holds no commands */
  constructor(
    private readonly robot: RobotProcess,
    episode: RecordedEpisode,
    private readonly speed: number,
  ) {
    const commands = episode.commands.filter(
      (c) => c.received_s >= episode.begin_s && c.received_s <= episode.end_s,
    );
    if (commands.length === 0) throw new UserError(`episode ${episode.number} holds no commands to replay`);
    this.times_s = Float64Array.from(commands, (c) => c.received_s - commands[0].received_s);
    this.targets_rad = commands.map((c) => Float64Array.from(c.message.position));
  }

  get result(): ReplayResult {
    return { seconds: this.seconds, mean_error_rad: this.errors / Math.max(1, this.samples) };
  }

  stop(): void {
    this.stopping = true;
  }

  /** Takes the robot over, eases to the first pose, replays. @throws UserError where the robot is stopped on the way */
  async run(notice: (line: string) => void): Promise<void> {
    const { robot, times_s, targets_rad } = this;
    const observer = robot.observe();
    observer.update();
    if (!(await robot.takeOver('person')))
      throw new UserError('the robot cannot be taken over: it is stopped');
    const start_rad = observer.command.position_rad.slice();
    const far_rad = Math.max(...start_rad.map((q, j) => Math.abs(q - targets_rad[0][j])));
    const seconds = Math.max(EASE_S, far_rad / EASE_RAD_S);
    notice(`to the first pose, ${seconds.toFixed(1)} s`);
    const ease = new PoseMotion([{ pose_rad: [...targets_rad[0]], seconds }]);
    const wanted_rad = start_rad.slice();
    const began_s = performance.now() / 1e3;
    ease.begin(start_rad, began_s);
    let arrived = false;
    let at = 0;
    for (let playing_s = Number.NaN; !this.stopping; ) {
      const now_s = performance.now() / 1e3;
      if (!arrived) {
        arrived = ease.pose(now_s, wanted_rad);
        if (arrived) playing_s = now_s;
      } else {
        this.seconds = Math.min(this.speed * (now_s - playing_s), times_s[times_s.length - 1]);
        while (at < times_s.length - 1 && times_s[at + 1] <= this.seconds) at++;
        wanted_rad.set(targets_rad[at]);
        observer.update();
        for (let j = 0; j < wanted_rad.length; j++)
          this.errors += Math.abs(observer.state.position_rad[j] - wanted_rad[j]) / wanted_rad.length;
        this.samples++;
        if (at === times_s.length - 1) return;
      }
      robot.personTarget(wanted_rad);
      if (robot.status().authority !== 'person')
        throw new UserError(
          `the replay was cut off: ${robot.status().latched ?? robot.status().authority} commands`,
        );
      await setTimeout(PERIOD_MS);
    }
  }
}
