/**
 * Simulated robots that learn together: robots.js ORDER, a LearningOrder as JSON. Physics, safety
 * kernel, spool, sender and policy receiver are a robot's own. Time is not: they step together, as fast
 * as the learner follows, so that what they learn in a minute of their lives does not hang on the machine.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Environment } from '../../sim/environment.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { trainingRandomisation } from '../../sim/randomise.js';
import { Random } from '../../src/base/random.js';
import { WarmUpPolicy } from '../../src/control/warmUpPolicy.js';
import { ExperienceSender } from '../../src/fleet/experienceSender.js';
import { Link } from '../../src/fleet/link.js';
import { PolicyReceiver } from '../../src/fleet/policyReceiver.js';
import { Spool } from '../../src/fleet/spool.js';
import { ANY, robotTopics, runTopics } from '../../src/fleet/topics.js';
import { admit } from '../../src/policy/admission.js';
import { loadPolicy } from '../../src/policy/inference.js';
import type { Policy } from '../../src/policy/policy.js';
import { readTrustedKey } from '../../src/policy/signature.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { warmUpActions } from '../../src/tasks/warmUpActions.js';
import { type LearningOrder, STOP } from './order.js';

/** Updates that robots may be ahead of the learner, who says once a second how far it is. */
const AHEAD = 400;
const WAIT_MS = 20;

const order = JSON.parse(process.argv[2]) as LearningOrder;
const { url, site, run } = order;
const robot = loadRobot(order.robot);
const { spec } = robot;
const mj = await loadMujoco();

class LearningRobot {
  readonly spool: Spool;
  private readonly task = createTask(order.task, spec);
  private readonly env = new Environment(mj, robot, this.task, trainingRandomisation);
  private readonly explore: { readonly random: Random; readonly scale: number };
  private readonly observation = new Float32Array(this.env.observation.length);
  private readonly action = new Float32Array(this.env.executedAction.length);
  /** By random gaits, until the learner's first policy comes. */
  private policy: Policy;
  private receiver: PolicyReceiver | undefined;
  private episode = -1;

  constructor(private readonly name: string) {
    const gaits = warmUpActions('gaits', this.task, spec, Random.stream(order.seed, 'warmup', name));
    this.policy = new WarmUpPolicy(this.observation.length, this.action.length, gaits);
    this.explore = { random: Random.stream(order.seed, 'explore', name), scale: 1 };
    const folder = join(order.folder, name);
    mkdirSync(folder, { recursive: true });
    const sizes = { observation: this.observation.length, action: this.action.length };
    this.spool = Spool.open(join(folder, 'spool'), sizes, { onNotice: this.say });
    this.begin();
  }

  private readonly say = (line: string) => {
    process.stderr.write(`${this.name}: ${line}\n`);
  };

  async connect(): Promise<void> {
    const { name: robot, say: onNotice } = this;
    const { presence } = robotTopics(site, robot);
    const link = await Link.connect({ url }, { presence, patient: true, onNotice });
    await ExperienceSender.create(link, this.spool, { site, run, robot, onNotice });
    this.receiver = await PolicyReceiver.create(link, {
      site,
      run,
      robot,
      policy_hz: spec.rates.policy_hz,
      trusted: [readTrustedKey(order.trust)],
      folder: join(order.folder, robot, 'policy'),
      take: async (policy) => {
        const admission = admit(policy.manifest, { spec, contract: this.task.contract });
        if (!admission.admitted) return admission.reasons;
        this.policy = loadPolicy({ ...policy, path: 'from the learner' });
        return [];
      },
      onNotice,
    });
  }

  private begin(): void {
    this.episode++;
    this.env.reset(Random.stream(order.seed, 'episode', this.name, this.episode).uint32());
    this.policy.reset();
  }

  step(): void {
    const { env, observation, action, episode } = this;
    observation.set(env.observation);
    this.policy.act(observation, action, this.explore);
    const step = env.steps;
    const { reward, ending } = env.step(action);
    this.policy.executed?.(env.executedAction);
    if (ending !== 'interrupted') {
      const [terminal, truncated] = [ending === 'terminated', ending === 'truncated'];
      const outcome = { episode, step, reward, terminal, truncated, person: false };
      this.spool.add({
        ...outcome,
        observation,
        action: env.executedAction,
        nextObservation: env.observation,
      });
      this.receiver?.see({ reward, safetyEvents: 0 });
    }
    if (ending !== 'none') this.begin();
  }
}

const robots = order.names.map((name) => new LearningRobot(name));
let stopping = false;
process.stdin.once('data', (word) => {
  stopping = word.toString() === STOP;
});
process.stdin.once('end', () => process.exit(1));
await Promise.all(robots.map((robot) => robot.connect()));

let updates = 0;
const link = await Link.connect({ url });
await link.subscribe(runTopics(site, run).metrics(ANY), (payload) => {
  updates = Number((JSON.parse(payload.toString('utf8')) as { updates: number }).updates);
});
let made = 0;
while (!stopping) {
  const due = (made - order.warmup) * order.updatesPerStep;
  if (due - updates > AHEAD) await setTimeout(WAIT_MS);
  else {
    for (const robot of robots) robot.step();
    made += robots.length;
    // Policies and what the learner stored are heard of in between.
    await setTimeout(0);
  }
}
while (robots.some(({ spool }) => spool.pending > 0)) await setTimeout(WAIT_MS);
for (const { spool } of robots) spool.close();
process.exit();
