import { filter, type Subscription } from 'rxjs';
import type { RobotProcess } from '../control/robotProcess.js';
import { type Step, StepFlag } from '../control/stepRecord.js';
import { type Broker, startBroker } from '../fleet/broker.js';
import type { Experience } from '../fleet/experience.js';
import { ExperienceSender } from '../fleet/experienceSender.js';
import { Link } from '../fleet/link.js';
import { receivePolicies } from '../fleet/policies.js';
import { topicsOf } from '../fleet/topics.js';
import type { Launch } from '../launch/launch.js';
import { createTask } from '../tasks/index.js';
import { observationSize } from '../tasks/task.js';

/** A learner's figures: what the status line and the result need, and whatever else it says in numbers. */
export interface LearnerFigures {
  readonly updates: number;
  readonly updates_per_s: number;
  readonly [figure: string]: number;
}

/** Joins a robot to its learner: an embedded broker, experience out, policies in. */
export class FleetLink {
  /** Of the learner's newest message. */
  learner: LearnerFigures | undefined;
  private subscription: Subscription | undefined;

  private constructor(
    readonly broker: Broker,
    private readonly link: Link,
    readonly sender: ExperienceSender,
  ) {}

  static async open(
    launch: Launch,
    robot: RobotProcess,
    notice: (line: string) => void,
    onFigures: (figures: LearnerFigures) => void = () => {},
  ): Promise<FleetLink> {
    const { spec } = robot.options;
    const broker = await startBroker();
    const link = await Link.connect(broker.url, topicsOf(launch.site, launch.name ?? spec.name), 'robot');
    const sizes = {
      observation: observationSize(createTask(launch.task, spec).contract),
      action: spec.joints.length,
    };
    const sender = await ExperienceSender.create(link, sizes, { onNotice: notice });
    const fleet = new FleetLink(broker, link, sender);
    fleet.subscription = robot.steps
      .pipe(filter((step) => (step.flags & StepFlag.interrupted) === 0))
      .subscribe((step) => sender.add(experienceOf(step)));
    await link.subscribe(link.topics.metrics, (payload) => {
      const figures = parseFigures(payload);
      if (!figures) return;
      fleet.learner = figures;
      onFigures(figures);
    });
    await receivePolicies(
      link,
      async (policy) => {
        const answer = await robot.setPolicy({ ...policy, path: 'from the learner' });
        const reasons = answer.admitted ? [] : answer.reasons;
        if (!answer.admitted) notice(`policy refused: ${reasons.join('; ')}`);
        return { admitted: answer.admitted, reasons };
      },
      notice,
    );
    return fleet;
  }

  async close(): Promise<void> {
    this.subscription?.unsubscribe();
    this.sender.close();
    await this.link.close();
    await this.broker.close();
  }
}

function experienceOf(step: Step): Experience {
  return {
    episode: step.episode,
    step: step.step,
    terminal: (step.flags & StepFlag.terminal) !== 0,
    truncated: (step.flags & StepFlag.truncated) !== 0,
    reward: step.reward,
    observation: Float32Array.from(step.observation),
    action: Float32Array.from(step.executed),
    nextObservation: Float32Array.from(step.nextObservation),
  };
}

function parseFigures(payload: Buffer): LearnerFigures | undefined {
  try {
    const given: object = JSON.parse(payload.toString('utf8'));
    const figures = Object.fromEntries(Object.entries(given).filter(([, value]) => Number.isFinite(value)));
    if ('updates' in figures && 'updates_per_s' in figures) return figures as LearnerFigures;
  } catch {}
  return undefined;
}
