import { setTimeout } from 'node:timers/promises';
import { UserError } from '../base/errors.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { PoseMotion } from '../safety/stop.js';
import type { RecordedEpisode } from './read.js';

export interface ReplayResult {
  /** Of the recording that were replayed. */
  readonly seconds: number;
  /** That the robot took for them: more where its limits are narrower than what was recorded. */
  readonly took_s: number;
  /** Between the joints' positions and those asked for, over the replay, joints and time: what limits and lag leave. */
  readonly mean_error_rad: number;
}

const PERIOD_MS = 20;
/** At least this long to the first pose, and longer where it is far. */
const EASE_S = 2;
const EASE_RAD_S = 0.5;
/** The recording waits while the targets of a joint are this far behind it. */
const BEHIND_RAD = 0.05;
/** A robot that does not come on for this long will not come there: at a limit, or held. */
const STUCK_S = 2;

/**
 * Asks a robot, as a person does, for what was commanded in a recorded episode. Where the limits of a
 * person are slower than the recording, the recording waits, so that the way is kept and not cut short.
 */
export class Replayer {
  private readonly times_s: Float64Array;
  private readonly targets_rad: readonly Float64Array[];
  private stopping = false;
  private seconds = 0;
  private took_s = 0;
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
    const { seconds, took_s, errors, samples } = this;
    return { seconds, took_s, mean_error_rad: errors / Math.max(1, samples) };
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
    let before_s = began_s;
    let waited_s = 0;
    while (!this.stopping) {
      const now_s = performance.now() / 1e3;
      const dt_s = now_s - before_s;
      before_s = now_s;
      observer.update();
      if (!arrived) arrived = ease.pose(now_s, wanted_rad);
      else {
        this.took_s += dt_s;
        const { position_rad } = observer.command;
        const behind_rad = Math.max(...wanted_rad.map((q, j) => Math.abs(q - position_rad[j])));
        waited_s = behind_rad > BEHIND_RAD ? waited_s + dt_s : 0;
        const goesOn = waited_s === 0 || waited_s > STUCK_S;
        if (goesOn) {
          this.seconds = Math.min(this.seconds + this.speed * dt_s, times_s[times_s.length - 1]);
          while (at < times_s.length - 1 && times_s[at + 1] <= this.seconds) at++;
          wanted_rad.set(targets_rad[at]);
        }
        for (let j = 0; j < wanted_rad.length; j++)
          this.errors += Math.abs(observer.state.position_rad[j] - wanted_rad[j]) / wanted_rad.length;
        this.samples++;
        if (at === times_s.length - 1 && goesOn) return;
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
