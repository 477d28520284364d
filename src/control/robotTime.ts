import { UserError } from '../base/errors.js';
import { RobotClock } from './robotClock.js';
import { type RobotBuffers, SharedMemory, Word } from './sharedMemory.js';

const LOOK_MS = 2;
/** Beyond what ticks take, s: until a thread on a busy machine gets round to it. */
const PATIENCE_S = 5;

/**
 * The robot's time as the main thread has it: its clock, and for a simulated robot the hand that holds
 * world, control loop and clock, lets them go on, or lets a number of control ticks pass.
 */
export class RobotTime {
  private readonly clock: RobotClock;
  private readonly memory: SharedMemory;

  /** @param canPause the world is a simulated one */
  constructor(
    buffers: RobotBuffers,
    private readonly robot: string,
    private readonly control_hz: number,
    readonly canPause: boolean,
  ) {
    this.clock = new RobotClock(buffers.clock);
    this.memory = new SharedMemory(buffers);
  }

  /** On the robot's clock, which stamps samples, steps and events. */
  now_s(): number {
    return this.clock.now_s();
  }

  get paused(): boolean {
    return this.memory.get(Word.pause) !== 0;
  }

  /**
   * Between two ticks everything stands still, whatever is asked of the robot: only a stop ends it too.
   * @throws UserError where the world is the real one
   */
  async pause(): Promise<void> {
    if (!this.canPause) throw new UserError(`${this.robot} is no simulation: its time does not stand still`);
    this.memory.set(Word.pause, 1);
    await this.until('the pause', 0, () => !this.paused || this.memory.get(Word.stands) === 1);
  }

  resume(): void {
    this.memory.set(Word.pause, 0);
  }

  /** Lets that many control ticks pass, at their own pace. @throws Error where the world does not stand still */
  async step(ticks: number): Promise<void> {
    const { memory } = this;
    if (!this.paused) throw new Error('not paused: there is nothing to step');
    memory.add(Word.stepsAsked, ticks);
    const asked = memory.get(Word.stepsAsked);
    const done = () => memory.get(Word.stepsDone) === asked && memory.get(Word.stands) === 1;
    await this.until('the step', ticks / this.control_hz, () => !this.paused || done());
  }

  private async until(what: string, ticks_s: number, holds: () => boolean): Promise<void> {
    const limit_s = 2 * ticks_s + PATIENCE_S;
    for (const end = Date.now() + 1e3 * limit_s; !holds(); ) {
      if (Date.now() > end) throw new Error(`${what} was not done within ${limit_s} s`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
