import { Random } from '../base/random.js';
import type { Policy } from '../policy/policy.js';
import { type RobotSpec, ticksPerAction } from '../robot/spec.js';
import { type JointCommand, RobotState } from '../robot/state.js';
import { authorities, type Guest } from '../safety/authority.js';
import { kernelModes } from '../safety/kernel.js';
import { PoseMotion } from '../safety/stop.js';
import {
  actionToTargets,
  type EpisodeMemory,
  observationSize,
  type Task,
  targetsToAction,
} from '../tasks/task.js';
import { StepWindow } from '../tasks/window.js';
import { ActingPolicy } from './actingPolicy.js';
import { ask, askToStay, type ControlMemory, controlStep, createControlMemory } from './controlStep.js';
import { GuestWish } from './guestWish.js';
import { StepAt, StepFlag, StepLayout, type StepVectors } from './stepRecord.js';
import { type GateOptions, SLOWED_SHARE, type WorldModelGate } from './worldModelGate.js';

/**
 * `off`: nobody asks for anything. `rising`: on the way to the home pose, and standing there until
 * there is a policy. `running`: an episode. `visiting`: a guest commands outside of one: a recovery at
 * work, or a person who may begin an episode but has not moved yet.
 */
export type Phase = 'off' | 'rising' | 'running' | 'visiting';

/**
 * What happens in the ticks of the real-time loop: the same sensing, reward window, control step and
 * episode bookkeeping as an episode in training, in the same order within a tick. It knows no
 * threads and no clock; the control worker calls `tick` and carries its results away.
 */
export class ControlLoop {
  readonly state: RobotState;
  readonly control: ControlMemory;
  readonly layout: StepLayout;
  /** The finished step, when `tick` returned with `stepDone` set. */
  readonly record: Float64Array;
  /** Where a simulator's truth goes before `tick`; NaN on a robot. */
  readonly truth_m = new Float64Array(3).fill(Number.NaN);
  /** What a guest asks for, brought up to date before `tick`. */
  readonly guest: GuestWish;
  private readonly episodeStart_m = new Float64Array(2);
  stepDone = false;
  phase: Phase = 'off';
  episodes = 0;
  /** Episodes that ended in a fall, and falls outside of one. */
  falls = 0;
  private readonly memory: EpisodeMemory;
  private readonly window: StepWindow;
  private readonly vectors: StepVectors;
  private readonly ticksPerStep: number;
  private readonly rise: PoseMotion;
  private readonly targets_rad: Float64Array;
  private readonly from_rad: Float64Array;
  private readonly observation: Float32Array;
  private readonly nextObservation: Float32Array;
  private readonly action: Float32Array;
  private readonly random: Random;
  private readonly policy: ActingPolicy;
  private step = 0;
  private ticksInStep = 0;
  /** A person commanded in some tick of this step. */
  private visited = false;
  /** A recovery waits for the end of this step, so that the episode is cut between steps. */
  private recoveryWaits = false;
  private countFall = true;
  private eventsBefore = 0;

  /**
   * @param exploreScale factor on the policy's own spread; 0 for its mean action
   * @param gate what happens where a policy's own model is surprised; nothing when left out
   */
  constructor(
    private readonly spec: RobotSpec,
    private readonly task: Task,
    exploreScale: number,
    seed: number,
    gate?: GateOptions,
  ) {
    const n = spec.joints.length;
    this.state = RobotState.for(spec);
    this.control = createControlMemory(spec);
    const { kernel, estimator } = this.control;
    // On a robot nobody knows better than the estimate how the body moves: the reward is paid for it.
    this.window = new StepWindow(spec, this.state, estimator, estimator, kernel.executed_rad);
    this.memory = task.createMemory();
    this.layout = new StepLayout(spec, task.contract);
    this.record = new Float64Array(this.layout.fields);
    this.vectors = this.layout.vectors(this.record);
    this.ticksPerStep = ticksPerAction(spec);
    this.rise = new PoseMotion([
      { pose_rad: spec.joints.map((j) => j.home_rad), seconds: spec.stop.seconds },
    ]);
    this.guest = new GuestWish(n);
    this.targets_rad = new Float64Array(n);
    this.from_rad = new Float64Array(n);
    this.observation = new Float32Array(observationSize(task.contract));
    this.nextObservation = new Float32Array(this.observation.length);
    this.action = new Float32Array(n);
    this.random = Random.stream(seed, 'episodes');
    this.policy = new ActingPolicy(n, exploreScale, seed, gate);
  }

  /** Takes over from the next action on. @param number 0 with no policy: the running episode ends then */
  setPolicy(policy: Policy | undefined, number: number): void {
    this.policy.set(policy, number);
  }

  /**
   * Tries a policy on what is seen now, so that one that cannot act is refused before it matters.
   * @throws whatever the policy throws
   */
  rehearse(policy: Policy): void {
    this.policy.rehearse(policy, this.observation);
  }

  /**
   * Takes up the joints where they are, then rises to the home pose; for a task that begins lying, stays
   * where it is. @returns false while latched or without a fresh sample */
  arm(now_s: number): boolean {
    const { kernel } = this.control;
    if (kernel.mode !== 'idle' || !this.isFresh(now_s)) return false;
    if (!(this.task.startsLying ? kernel.armForRecovery(this.state) : kernel.arm(this.state))) return false;
    this.takenUp(now_s);
    this.beginRising(now_s);
    return true;
  }

  /**
   * A guest takes over from whoever commands. A recovery also takes up a robot that lies, braked, after
   * a fall, or stopped outside of its fence; in an episode it waits for the end of the step, which is then
   * a truncation.
   * @returns false where it may not: latched, stopped by its operator, or a person commands
   */
  takeOver(by: Guest, now_s: number): boolean {
    const { kernel } = this.control;
    if (kernel.authority === by) return true;
    if (by === 'recovery') {
      if (kernel.awaitsRecovery) return this.takeUpForRecovery(now_s);
      if (this.phase === 'running' && kernel.authority === 'policy') {
        this.recoveryWaits = true;
        return true;
      }
    }
    if (!kernel.handOver(by)) return false;
    this.recoveryWaits = false;
    askToStay(this.control, now_s);
    if (this.phase !== 'running') this.phase = 'visiting';
    return true;
  }

  /** The guest is gone: the policy goes on with the episode, or the robot rises to begin one. */
  release(now_s: number): void {
    const { kernel } = this.control;
    this.recoveryWaits = false;
    if (kernel.authority !== 'person' && kernel.authority !== 'recovery') return;
    // A task that begins lying is commanded as a recovery, from wherever the person left the robot.
    if (this.task.startsLying) kernel.armForRecovery(this.state);
    else kernel.handOver('policy');
    askToStay(this.control, now_s);
    if (this.phase === 'visiting') this.beginRising(now_s);
  }

  /**
   * One control tick, after `state` was brought up to date.
   * @param elapsed ticks since the last one: more than 1 where some were missed
   */
  tick(now_s: number, elapsed: number): JointCommand {
    const { kernel } = this.control;
    this.stepDone = false;
    this.window.tick();
    this.ticksInStep += elapsed;
    this.followGuest();
    if (this.phase === 'running') {
      if (this.ticksInStep >= this.ticksPerStep) this.endStep(now_s);
    } else if (this.phase === 'rising') {
      const arrived = this.task.startsLying ? this.stay(now_s) : this.riseOn(now_s);
      if (arrived && this.policy.present && this.mayBegin()) this.beginEpisode(now_s);
    } else if (this.phase === 'visiting') {
      if (kernel.authority === 'person' && kernel.mode === 'run' && this.mayBegin()) this.beginEpisode(now_s);
    }
    this.locate();
    const command = controlStep(this.control, this.state, now_s);
    const { mode } = kernel;
    if (this.phase !== 'running' && mode === 'damp') this.fallOutsideEpisode();
    const commanded = mode === 'run' || mode === 'hold';
    if ((this.phase === 'rising' || this.phase === 'visiting') && !commanded) this.phase = 'off';
    return command;
  }

  /** Safety events so far. */
  get safetyEvents(): number {
    return this.control.kernel.events.total - this.eventsBefore;
  }

  /** Back to where a new one starts, as if nothing had happened; what the engine has compiled by then stays. */
  forget(): void {
    const { kernel, estimator } = this.control;
    kernel.forget();
    kernel.events.drain();
    this.eventsBefore = kernel.events.total;
    estimator.reset();
    this.control.askedAt_s = Number.NEGATIVE_INFINITY;
    this.guest.forget();
    this.episodeStart_m.fill(0);
    this.recoveryWaits = false;
    this.state.flat.fill(0);
    this.state.time_s = Number.NEGATIVE_INFINITY;
    this.truth_m.fill(Number.NaN);
    this.policy.forget();
    this.phase = 'off';
    this.episodes = 0;
    this.falls = 0;
  }

  /** Tells the kernel where the robot is: as a simulator knows it, else by the estimate, which drifts. */
  private locate(): void {
    const { kernel, estimator } = this.control;
    const known = !Number.isNaN(this.truth_m[0]);
    for (let k = 0; k < 2; k++)
      kernel.place_m[k] = known ? this.truth_m[k] : this.episodeStart_m[k] + estimator.position_m[k];
  }

  private isFresh(now_s: number): boolean {
    return now_s - this.state.time_s <= this.spec.watchdog.sensor_age_s;
  }

  private takeUpForRecovery(now_s: number): boolean {
    if (!this.isFresh(now_s) || !this.control.kernel.armForRecovery(this.state)) return false;
    this.takenUp(now_s);
    // That it lies was counted when it fell.
    this.countFall = false;
    this.phase = 'visiting';
    return true;
  }

  private takenUp(now_s: number): void {
    for (let k = 0; k < 2; k++) this.episodeStart_m[k] += this.control.estimator.position_m[k];
    this.control.estimator.reset();
    // What was asked before it fell or stopped is no place to set out from.
    askToStay(this.control, now_s);
    this.countFall = true;
  }

  /** Leads what is asked towards what a guest wishes for, where one commands. */
  private followGuest(): void {
    const { guest, control } = this;
    const { authority } = control.kernel;
    if (authority !== 'person' && authority !== 'recovery') return;
    if (authority === 'person') this.visited = true;
    // A wish older than the authority is somebody else's.
    if (guest.isFrom(authority) && guest.time_s > control.askedAt_s)
      ask(control, guest.targets_rad, guest.time_s);
  }

  private mayBegin(): boolean {
    return !this.task.terminated(this.window, this.memory);
  }

  private stay(now_s: number): boolean {
    askToStay(this.control, now_s);
    return true;
  }

  private riseOn(now_s: number): boolean {
    const arrived = this.rise.pose(now_s, this.targets_rad);
    ask(this.control, this.targets_rad, now_s);
    return arrived;
  }

  private beginRising(now_s: number): void {
    this.rise.begin(this.control.kernel.executed_rad, now_s);
    this.phase = 'rising';
  }

  private beginEpisode(now_s: number): void {
    const { window, memory, task } = this;
    this.phase = 'running';
    this.episodes++;
    this.step = 0;
    this.countFall = true;
    // The estimate counts from the start of an episode, the fence from where the robot was started.
    for (let k = 0; k < 2; k++) this.episodeStart_m[k] += this.control.estimator.position_m[k];
    this.control.estimator.position_m.fill(0);
    window.begin();
    task.begin(memory, window, this.random);
    task.observe(window, memory, this.observation);
    this.policy.beginEpisode();
    this.ticksInStep = 0;
    this.act(now_s);
  }

  /** The policy is asked in any case, so that its memory, where it has one, knows what it saw while a person commanded. */
  private act(now_s: number): void {
    const { action, from_rad, control } = this;
    from_rad.set(control.kernel.executed_rad);
    if (!this.policy.act(this.observation, this.state.time_s, now_s, action))
      control.kernel.requestStop(now_s, 'sensing_gap');
    this.visited = control.kernel.authority === 'person';
    if (!this.visited) {
      actionToTargets(this.task.contract.action, action, from_rad, this.targets_rad);
      const gate = this.policy.shutGate();
      if (gate) this.slowOrStop(gate, now_s);
      ask(control, this.targets_rad, now_s);
    }
    this.window.begin();
  }

  /** The policy is where its model was not trained: slowed, or stopped. */
  private slowOrStop({ options, over }: WorldModelGate, now_s: number): void {
    const { kernel } = this.control;
    kernel.events.report(now_s, 'surprise', -1, over.value, over.limit);
    if (options.response === 'stop') {
      kernel.requestStop(now_s);
      return;
    }
    for (let j = 0; j < this.targets_rad.length; j++)
      this.targets_rad[j] = this.from_rad[j] + SLOWED_SHARE * (this.targets_rad[j] - this.from_rad[j]);
  }

  private endStep(now_s: number): void {
    const { task, memory, window, control } = this;
    // What a late tick took off this step does not lengthen the next ones.
    this.ticksInStep = Math.min(this.ticksInStep - this.ticksPerStep, this.ticksPerStep - 1);
    memory.previousAction.set(memory.action);
    targetsToAction(task.contract.action, control.kernel.executed_rad, this.from_rad, memory.action);
    this.policy.executed(memory.action);
    if (this.visited) targetsToAction(task.contract.action, control.wanted_rad, this.from_rad, this.action);
    task.observe(window, memory, this.nextObservation);
    const reward = task.reward(window, memory);
    const flags = this.flags(reward);
    this.write(now_s, reward, flags);
    this.step++;
    this.observation.set(this.nextObservation);
    if (flags === 0) this.act(now_s);
    else this.endEpisode(flags, now_s);
  }

  private endEpisode(flags: number, now_s: number): void {
    const { kernel } = this.control;
    if (flags & StepFlag.terminal) {
      this.falls++;
      this.countFall = false;
    }
    const { recoveryWaits } = this;
    this.recoveryWaits = false;
    if (kernel.authority === 'stop') {
      this.phase = 'off';
    } else if (recoveryWaits) {
      this.phase = 'visiting';
      this.takeOver('recovery', now_s);
    } else if (kernel.authority === 'person') {
      // The robot stays theirs: the next episode begins once they move it from where one can begin.
      this.phase = 'visiting';
    } else if (flags & StepFlag.truncated) {
      this.beginEpisode(now_s);
    } else {
      this.beginRising(now_s);
    }
  }

  private flags(reward: number): number {
    const { kernel } = this.control;
    const stopped = kernel.authority === 'stop';
    // Braking without anything latched is what follows a fall.
    if (stopped && !(kernel.mode === 'damp' && !kernel.latched)) return StepFlag.interrupted;
    // What a broken sensor said in this very tick is not for learning; the kernel has yet to see it.
    if (!Number.isFinite(reward) || !allFinite(this.nextObservation)) return StepFlag.interrupted;
    if (!this.policy.present && kernel.authority !== 'person') return StepFlag.interrupted;
    if (stopped || this.task.terminated(this.window, this.memory)) return StepFlag.terminal;
    return this.recoveryWaits || this.step + 1 >= this.task.episodeSteps ? StepFlag.truncated : 0;
  }

  private fallOutsideEpisode(): void {
    if (this.phase === 'off' || this.control.kernel.latched || !this.countFall) return;
    this.falls++;
    this.countFall = false;
  }

  private write(now_s: number, reward: number, flags: number): void {
    const { record, vectors, control } = this;
    const { kernel, estimator } = control;
    record[StepAt.time_s] = now_s;
    record[StepAt.episode] = this.episodes;
    record[StepAt.step] = this.step;
    record[StepAt.reward] = reward;
    record[StepAt.flags] = flags;
    record[StepAt.mode] = kernelModes.indexOf(kernel.mode);
    record[StepAt.safetyEvents] = this.safetyEvents;
    record[StepAt.heading_rad] = this.memory.heading_rad;
    record[StepAt.policy] = this.policy.number;
    const { authority } = kernel;
    record[StepAt.authority] = authorities.indexOf(this.visited ? 'person' : authority);
    vectors.position_m.set(estimator.position_m);
    vectors.velocity_m_s.set(estimator.velocity_m_s);
    vectors.truth_m.set(this.truth_m);
    vectors.observation.set(this.observation);
    vectors.nextObservation.set(this.nextObservation);
    vectors.asked.set(this.action);
    vectors.executed.set(this.memory.action);
    vectors.state.set(this.state.withoutImage);
    this.stepDone = true;
  }
}

function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
