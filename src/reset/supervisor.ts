import type { Subscription } from 'rxjs';
import { now_s } from '../control/clock.js';
import type { Observer } from '../control/observer.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { type Step, StepFlag } from '../control/stepRecord.js';
import type { View } from './behaviour.js';
import { Recovery, type RecoveryOptions } from './recovery.js';

/** An episode that lasts longer than this shows that the robot does its task again, s. */
const DOES_WELL_S = 2;

export interface SupervisorOptions extends RecoveryOptions {
  /** Each episode is to begin at home. */
  readonly homeAfterEpisode: boolean;
}

/**
 * Watches over a robot's episodes, and gets it out of trouble under the authority of a recovery. The
 * control loop marks the step that is cut by it as what it was, and begins a new episode once the robot
 * is given back; a learner learns on through it.
 */
export class ResetSupervisor {
  private readonly observer: Observer;
  private readonly recovery: Recovery;
  private readonly steps: Subscription;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly robot: RobotProcess,
    private readonly options: SupervisorOptions,
  ) {
    this.observer = robot.observe();
    this.recovery = new Recovery(robot.options.spec, options, {
      takeOver: () => void robot.takeOver('recovery'),
      lead: (targets_rad) => robot.recoveryTarget(targets_rad),
      release: () => void robot.release(),
      stop: () => void robot.requestStop(),
      tell: (report) => robot.noteReset(report),
    });
    this.steps = robot.steps.subscribe((step) => this.see(step));
    this.wait(now_s());
  }

  close(): void {
    clearTimeout(this.timer);
    this.steps.unsubscribe();
  }

  private wait(before_s: number): void {
    // To deadlines, so that what a behaviour asks for comes evenly.
    const due_s = Math.max(before_s + this.recovery.period_s, now_s());
    this.timer = setTimeout(
      () => {
        this.recovery.next(this.look(), this.robot.status());
        this.wait(due_s);
      },
      1e3 * (due_s - now_s()),
    );
  }

  private see({ flags, step }: Step): void {
    if (this.options.homeAfterEpisode && flags & StepFlag.truncated) this.recovery.episodeOver();
    if (step > DOES_WELL_S * this.robot.options.spec.rates.policy_hz) this.recovery.doesWell();
  }

  private look(): View {
    const { observer } = this;
    observer.update();
    const { state, estimate } = observer;
    const { place_m, executed_rad } = estimate;
    return { time_s: this.robot.time.now_s(), state, estimate, place_m, executed_rad };
  }
}
