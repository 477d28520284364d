import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { filter, Subscription } from 'rxjs';
import { packageInfo } from '../base/packageInfo.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { type Step, StepFlag } from '../control/stepRecord.js';
import type { BrokerAccess } from '../fleet/access.js';
import { type Broker, startBroker } from '../fleet/broker.js';
import { ExperienceSender } from '../fleet/experienceSender.js';
import { Link } from '../fleet/link.js';
import type { SentPolicy } from '../fleet/policyMessage.js';
import { PolicyReceiver } from '../fleet/policyReceiver.js';
import { SaveRequests } from '../fleet/saving.js';
import { Spool } from '../fleet/spool.js';
import {
  type Description,
  type Health,
  type SafetyReport,
  type WorldModelReport,
  worldModelSchema,
} from '../fleet/telemetry.js';
import { ANY, type RobotTopics, robotTopics, runTopics } from '../fleet/topics.js';
import { type Launch, robotName, runName } from '../launch/launch.js';
import { taskOf } from '../launch/taskOf.js';
import type { Experience } from '../robot/experience.js';
import { authorities } from '../safety/authority.js';
import type { Cause, SafetyEvent } from '../safety/events.js';
import { LEARNER_SILENCE_S } from '../safety/watchdog.js';
import { observationSize } from '../tasks/task.js';

/** A learner's figures: what the status line and the result need, and whatever else it says in numbers. */
export interface LearnerFigures {
  readonly updates: number;
  readonly updates_per_s: number;
  readonly [figure: string]: number;
}

export interface FleetLinkOptions {
  /** Of a broker elsewhere; without it, one in this process. */
  readonly access?: BrokerAccess;
  /** Keys whose policies may be loaded. */
  readonly trusted: readonly KeyObject[];
  /** Where the spool and the policies of roll-outs lie. */
  readonly folder: string;
  /** The policy that the robot starts with. */
  readonly initial?: SentPolicy;
  readonly onNotice: (line: string) => void;
  /** No learner said anything of itself for a while, after one had. */
  readonly onLearnerSilent?: (what: string) => void;
  readonly onFigures?: (figures: LearnerFigures) => void;
  readonly onWorldModel?: (report: WorldModelReport) => void;
}

const HEALTH_MS = 1000;
/** That a learner may take to write its checkpoint: it waits for the end of an update. */
const SAVE_S = 20;
/** Safety events that speak against a policy; the others speak of sensors, or of an operator's wish. */
const OF_THE_POLICY: ReadonlySet<Cause> = new Set<Cause>(['fall', 'command_stale', 'command_invalid']);

/** Joins a robot to its learner: experience and telemetry out, policies in. */
export class FleetLink {
  /** Of a learner's newest message. */
  learner: LearnerFigures | undefined;
  policies: PolicyReceiver | undefined;
  /** When a learner last said something of itself; ∞ while there is none to wait for. */
  private heardAt_ms = Number.POSITIVE_INFINITY;
  /** Safety events since the last step that speak against the policy. */
  private against = 0;
  private readonly topics: RobotTopics;
  private readonly subscriptions = new Subscription();
  private ticker: NodeJS.Timeout | undefined;

  private constructor(
    private readonly launch: Launch,
    private readonly robot: RobotProcess,
    private readonly embedded: Broker | undefined,
    private readonly link: Link,
    readonly spool: Spool,
    private readonly sender: ExperienceSender,
    private readonly saves: SaveRequests,
  ) {
    this.topics = robotTopics(launch.site, robotName(launch, robot.options.spec.name));
  }

  /** @throws UserError where the broker does not let us in, or another process has the robot's spool */
  static async open(launch: Launch, robot: RobotProcess, options: FleetLinkOptions): Promise<FleetLink> {
    const { spec } = robot.options;
    const { onNotice } = options;
    const names = { site: launch.site, robot: robotName(launch, spec.name), run: runName(launch) };
    const { contract } = taskOf(launch, spec);
    const sizes = { observation: observationSize(contract), action: spec.joints.length };
    const spool = Spool.open(join(options.folder, 'spool'), sizes, { onNotice });
    const embedded = options.access ? undefined : await startBroker();
    const link = await Link.connect(options.access ?? { url: embedded!.url }, {
      presence: robotTopics(names.site, names.robot).presence,
      patient: options.access !== undefined,
      onNotice,
    });
    const sender = await ExperienceSender.create(link, spool, { ...names, onNotice });
    const saves = await SaveRequests.create(link, names);
    const fleet = new FleetLink(launch, robot, embedded, link, spool, sender, saves);
    fleet.policies = await PolicyReceiver.create(link, {
      ...names,
      policy_hz: spec.rates.policy_hz,
      trusted: options.trusted,
      initial: options.initial,
      folder: join(options.folder, 'policies'),
      take: async (policy) => {
        const answer = await robot.setPolicy({ ...policy, path: 'from the learner' });
        if (!answer.admitted) onNotice(`policy refused: ${answer.reasons.join('; ')}`);
        return answer.admitted ? [] : answer.reasons;
      },
      onNotice,
    });
    await fleet.begin(options);
    return fleet;
  }

  /** Where a learner on this machine finds the embedded broker. */
  get url(): string | undefined {
    return this.embedded?.url;
  }

  /** Has the learner write its checkpoint now. @returns its name @throws Error where it is not there, or too slow */
  saveLearner(): Promise<string> {
    return this.saves.save(SAVE_S);
  }

  private async begin({ onFigures, onWorldModel, onLearnerSilent }: FleetLinkOptions): Promise<void> {
    const { robot, link, launch } = this;
    const wanted = robot.steps.pipe(filter((step) => (step.flags & StepFlag.interrupted) === 0));
    this.subscriptions.add(wanted.subscribe((step) => this.see(step)));
    this.subscriptions.add(robot.events.subscribe((event) => this.tell(event)));
    await link.subscribe(runTopics(launch.site, runName(launch)).metrics(ANY), (payload) => {
      const figures = parseFigures(payload);
      if (!figures) return;
      this.learner = figures;
      this.heardAt_ms = Date.now();
      onFigures?.(figures);
    });
    await link.subscribe(runTopics(launch.site, runName(launch)).worldModel(ANY), (payload) => {
      const report = parseWorldModel(payload);
      if (report) onWorldModel?.(report);
    });
    link.sayOnConnect(() => link.report(this.topics.description, this.describe(), { retain: true, qos: 1 }));
    this.ticker = setInterval(() => {
      link.report(this.topics.health, this.health());
      if (Date.now() - this.heardAt_ms < 1e3 * LEARNER_SILENCE_S) return;
      this.heardAt_ms = Number.POSITIVE_INFINITY;
      this.learner = undefined;
      onLearnerSilent?.(`no learner has been heard for ${LEARNER_SILENCE_S} s`);
    }, HEALTH_MS);
  }

  private see(step: Step): void {
    this.spool.add(experienceOf(step));
    this.policies?.see({ reward: step.reward, safetyEvents: this.against });
    this.against = 0;
  }

  private tell({ time_s, cause, joint, value, limit }: SafetyEvent): void {
    if (OF_THE_POLICY.has(cause)) this.against++;
    const name = this.robot.options.spec.joints[joint]?.name ?? null;
    this.link.report(this.topics.safety, { time_s, cause, joint: name, value, limit } satisfies SafetyReport);
  }

  private describe(): Description {
    const { spec } = this.robot.options;
    const { observation, action } = taskOf(this.launch, spec).contract;
    return {
      schema: 1,
      robot: spec.name,
      joints: spec.joints.map((j) => j.name),
      control_hz: spec.rates.control_hz,
      policy_hz: spec.rates.policy_hz,
      task: this.launch.task,
      parameters: this.launch.parameters,
      run: runName(this.launch),
      observation: [...observation],
      action: { kind: action.kind, scale_rad: [...action.scale_rad] },
      version: packageInfo.version,
    };
  }

  private health(): Health {
    const s = this.robot.status();
    const { spool } = this;
    return {
      mode: s.mode,
      latched: s.latched ?? null,
      asks_person: s.asks_person,
      ticks: s.ticks,
      missed_ticks: s.missed_ticks,
      late_p999_ms: s.late_p999_ms,
      falls: s.falls,
      episodes: s.episodes,
      safety_events: s.safety_events,
      spool_transitions: spool.pending,
      spool_bytes: spool.bytes,
      spool_lost: spool.lost,
      transitions: spool.added,
    };
  }

  async close(): Promise<void> {
    this.subscriptions.unsubscribe();
    clearInterval(this.ticker);
    this.sender.close();
    await this.policies?.close();
    await this.link.close();
    this.spool.close();
    await this.embedded?.close();
  }
}

function experienceOf(step: Step): Experience {
  return {
    episode: step.episode,
    step: step.step,
    terminal: (step.flags & StepFlag.terminal) !== 0,
    truncated: (step.flags & StepFlag.truncated) !== 0,
    person: authorities[step.authority] === 'person',
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

function parseWorldModel(payload: Buffer): WorldModelReport | undefined {
  try {
    return worldModelSchema.safeParse(JSON.parse(payload.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
