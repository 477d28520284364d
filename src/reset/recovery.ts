import type { ResetReport } from '../control/resetReport.js';
import type { RobotSpec } from '../robot/spec.js';
import type { Behaviour, View } from './behaviour.js';
import { type Condition, type Trouble, TroubleWatch } from './trouble.js';

/** Between two looks at a robot that is in no trouble, s. */
const LOOK_S = 0.1;
/** A robot that was asked for is given within this, s: a policy ends its step first. */
const TAKES_S = 1;

export interface RecoveryOptions {
  /** What to try, first come first; the last again and again. None: a person is asked at once. */
  readonly behavioursFor: (trouble: Trouble) => readonly Behaviour[];
  /** That may fail before a person is asked. */
  readonly tries: number;
  /** That a robot may stay where it is under its policy, s; 0: for ever. */
  readonly noProgress_s: number;
  /** Lying is a part of the task: no trouble. */
  readonly mayLie: boolean;
}

/** What a recovery can do to a robot. None of it waits: what came of it shows in the robot's condition. */
export interface Hands {
  /** Asks for the robot, under the authority of a recovery. */
  takeOver(): void;
  /** Leads it, having taken it over. */
  lead(targets_rad: Float64Array): void;
  /** Gives it back to its policy. */
  release(): void;
  /** A stop that knows gravity. */
  stop(): void;
  tell(report: ResetReport): void;
}

type State =
  | { readonly kind: 'watching' }
  | { readonly kind: 'taking'; readonly behaviour: Behaviour; readonly since_s: number }
  | { readonly kind: 'leading'; readonly behaviour: Behaviour }
  | { readonly kind: 'asking' };

const WATCHING: State = { kind: 'watching' };

/**
 * What a supervisor of resets decides, step by step and without a clock of its own, so that a simulation
 * faster than time decides the same: watch; in trouble take the robot over and lead it by a behaviour;
 * give it back, and look whether the trouble is over; after some tries ask a person, and wait until the
 * robot is commanded again.
 */
export class Recovery {
  private readonly watch: TroubleWatch;
  private readonly targets_rad: Float64Array;
  private state: State = WATCHING;
  private trouble: Trouble = 'fall';
  private attempts = 0;
  private timeOut = false;

  constructor(
    spec: RobotSpec,
    private readonly options: RecoveryOptions,
    private readonly hands: Hands,
  ) {
    this.watch = new TroubleWatch(spec, options);
    this.targets_rad = new Float64Array(spec.joints.length);
  }

  /** Until it wants to be asked again, s. */
  get period_s(): number {
    return this.state.kind === 'leading' ? 1 / this.state.behaviour.rate_hz : LOOK_S;
  }

  /** The robot does its task again: what comes now is a trouble of its own. */
  doesWell(): void {
    this.attempts = 0;
  }

  /** An episode is over, and the next one is to begin at home. */
  episodeOver(): void {
    this.timeOut = true;
  }

  next(view: View, condition: Condition): void {
    const { state } = this;
    switch (state.kind) {
      case 'watching':
        this.look(view, condition);
        break;
      case 'taking':
        if (condition.authority === 'recovery') this.beginLeading(state.behaviour, view);
        else if (view.time_s - state.since_s > TAKES_S) this.watchAnew();
        break;
      case 'leading':
        this.lead(state.behaviour, view, condition);
        break;
      case 'asking':
        if (condition.authority === 'stop') break;
        this.tell(view, 'person_helped');
        this.attempts = 0;
        this.watchAnew();
        break;
    }
  }

  private look(view: View, condition: Condition): void {
    const mayGoHome = this.timeOut && condition.authority === 'policy';
    const trouble = this.watch.look(view, condition) ?? (mayGoHome ? 'time_out' : undefined);
    if (!trouble) return;
    if (trouble !== this.trouble) this.attempts = 0;
    this.trouble = trouble;
    const behaviours = this.options.behavioursFor(trouble);
    if (behaviours.length === 0 || this.attempts >= this.options.tries) {
      // What nobody could help must not go on as if nothing were.
      if (condition.authority !== 'stop') this.hands.stop();
      this.state = { kind: 'asking' };
      this.tell(view, 'person_asked');
      return;
    }
    const behaviour = behaviours[Math.min(this.attempts, behaviours.length - 1)];
    this.state = { kind: 'taking', behaviour, since_s: view.time_s };
    this.hands.takeOver();
  }

  private beginLeading(behaviour: Behaviour, view: View): void {
    this.state = { kind: 'leading', behaviour };
    this.attempts++;
    this.tell(view, 'begun', behaviour);
    behaviour.begin(view);
  }

  private lead(behaviour: Behaviour, view: View, { authority }: Condition): void {
    if (authority !== 'recovery') {
      this.tell(view, 'interrupted', behaviour);
      this.watchAnew();
      return;
    }
    const progress = behaviour.next(view, this.targets_rad);
    if (progress === 'going') {
      this.hands.lead(this.targets_rad);
      return;
    }
    this.tell(view, progress, behaviour);
    // It got out: that a beginner is soon in trouble again is what learning looks like.
    if (progress === 'done') this.attempts = 0;
    this.hands.release();
    this.watchAnew();
  }

  private watchAnew(): void {
    this.state = WATCHING;
    this.timeOut = false;
    this.watch.forget();
  }

  private tell({ time_s }: View, outcome: ResetReport['outcome'], behaviour?: Behaviour): void {
    const { trouble, attempts: attempt } = this;
    this.hands.tell({ time_s, trouble, outcome, behaviour: behaviour?.name ?? null, attempt });
  }
}
