import { Random } from '../base/random.js';
import type { Policy } from '../policy/policy.js';
import type { RobotSpec } from '../robot/spec.js';
import { Stance } from '../robot/stance.js';
import { actionToTargets, type EpisodeMemory, type Task, targetsToAction } from '../tasks/task.js';
import { StepWindow } from '../tasks/window.js';
import type { Behaviour, Progress, View } from './behaviour.js';

/** It stands once it has stood for this long, s. */
const STOOD_S = 0.3;
/** It is stuck once no target has moved by more than this in a step, rad, for so long, s: by its legs' crossing, mostly. */
const MOVES_RAD = 0.01;
const STUCK_S = 2;

/** Gets a robot up by a policy that learned to: of task `rise`, already admitted for this robot. */
export class GetUpPolicy implements Behaviour {
  readonly name = 'get up as learned';
  readonly rate_hz: number;
  private readonly stance: Stance;
  private readonly givesUp_s: number;
  private readonly observation: Float32Array;
  private readonly action: Float32Array;
  private readonly from_rad: Float64Array;
  private memory: EpisodeMemory;
  private moment: StepWindow | undefined;
  private began_s = 0;
  private standsSince_s = Number.NaN;
  private moved_s = 0;

  constructor(
    private readonly spec: RobotSpec,
    private readonly task: Task,
    private readonly policy: Policy,
  ) {
    this.rate_hz = spec.rates.policy_hz;
    this.stance = new Stance(spec);
    // In training it never had longer.
    this.givesUp_s = task.episodeSteps / spec.rates.policy_hz;
    this.observation = new Float32Array(policy.observationSize);
    this.action = new Float32Array(policy.actionSize);
    this.from_rad = new Float64Array(spec.joints.length);
    this.memory = task.createMemory();
  }

  begin({ state, estimate, executed_rad, time_s }: View): void {
    this.moment = new StepWindow(this.spec, state, estimate, estimate, executed_rad);
    this.memory = this.task.createMemory();
    this.moment.begin();
    this.task.begin(this.memory, this.moment, new Random(0));
    this.policy.reset();
    this.from_rad.set(executed_rad);
    this.began_s = time_s;
    this.moved_s = time_s;
    this.standsSince_s = Number.NaN;
  }

  next(view: View, targets_rad: Float64Array): Progress {
    const { state, time_s, executed_rad } = view;
    const { task, memory, observation, action, from_rad } = this;
    memory.previousAction.set(memory.action);
    targetsToAction(task.contract.action, executed_rad, from_rad, memory.action);
    task.observe(this.moment!, memory, observation);
    this.policy.act(observation, action);
    if (executed_rad.some((q, j) => Math.abs(q - from_rad[j]) > MOVES_RAD)) this.moved_s = time_s;
    from_rad.set(executed_rad);
    actionToTargets(task.contract.action, action, from_rad, targets_rad);
    if (!this.stance.holds(state)) this.standsSince_s = Number.NaN;
    else if (Number.isNaN(this.standsSince_s)) this.standsSince_s = time_s;
    if (time_s - this.standsSince_s >= STOOD_S) return 'done';
    const stuck = time_s - this.moved_s > STUCK_S;
    return stuck || time_s - this.began_s > this.givesUp_s ? 'failed' : 'going';
  }
}
