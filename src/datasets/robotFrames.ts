import { UserError } from '../base/errors.js';
import type { RobotSpec } from '../robot/spec.js';
import type { RobotState } from '../robot/state.js';
import { observationSize, type TaskContract } from '../tasks/task.js';
import type { Column, Episode, EpisodeNotes, Feature, Features } from './features.js';
import type { Dataset } from './reader.js';

/**
 * What Reverie writes of each policy step. Names that LeRobot knows keep their meaning: joint
 * positions as `observation.state`, executed joint targets as `action`, in radians. What a learner of
 * Reverie's needs on top goes under `policy.`, in the task's own units.
 */
export function robotFeatures(spec: RobotSpec, contract: TaskContract): Features {
  const joints = spec.joints.map((j) => j.name);
  const vector = (names: readonly string[]): Feature => ({
    dtype: 'float32',
    shape: [names.length],
    names: [...names],
  });
  const single = (dtype: Feature['dtype']): Feature => ({ dtype, shape: [1], names: null });
  const observed = contract.observation.flatMap(({ name, size }) =>
    Array.from({ length: size }, (_, i) => `${name}.${i}`),
  );
  const objects = spec.objects.flatMap(({ name }) => ['x', 'y', 'z'].map((axis) => `${name}.${axis}`));
  return {
    'observation.state': vector(joints),
    'observation.velocity': vector(joints),
    ...(objects.length > 0 && { 'observation.environment_state': vector(objects) }),
    action: vector(joints),
    'policy.observation': vector(observed),
    'policy.next_observation': vector(observed),
    'policy.action': vector(joints),
    'next.reward': single('float32'),
    'next.done': single('bool'),
    'next.truncated': single('bool'),
    'next.success': single('bool'),
    intervention: single('bool'),
    capture_time: single('float64'),
    receive_time: single('float64'),
  };
}

/** One policy step as a frame of a dataset. */
export interface RobotFrame {
  /** At the beginning of the step. */
  readonly state: RobotState;
  /** What the safety kernel had executed by its end, as joint targets and as the task's action. */
  readonly target_rad: ArrayLike<number>;
  readonly observation: ArrayLike<number>;
  readonly nextObservation: ArrayLike<number>;
  readonly action: ArrayLike<number>;
  readonly reward: number;
  readonly terminal: boolean;
  readonly truncated: boolean;
  readonly success: boolean;
  /** A person commanded. */
  readonly intervention: boolean;
  /** When the state was sampled and when it reached the control loop; seconds since 1970, or of simulated time. */
  readonly capture_time_s: number;
  readonly receive_time_s: number;
}

/** Gathers the frames of one episode. */
export class RobotEpisode {
  private readonly values: Record<string, number[]>;
  private frames = 0;

  constructor(private readonly features: Features) {
    this.values = Object.fromEntries(Object.keys(features).map((name) => [name, []]));
  }

  get length(): number {
    return this.frames;
  }

  add(frame: RobotFrame): void {
    const put = (name: string, numbers: ArrayLike<number>) => this.values[name].push(...Array.from(numbers));
    put('observation.state', frame.state.position_rad);
    put('observation.velocity', frame.state.velocity_rad_s);
    if (this.features['observation.environment_state'])
      put('observation.environment_state', frame.state.object_m);
    put('action', frame.target_rad);
    put('policy.observation', frame.observation);
    put('policy.next_observation', frame.nextObservation);
    put('policy.action', frame.action);
    put('next.reward', [frame.reward]);
    put('next.done', [Number(frame.terminal)]);
    put('next.truncated', [Number(frame.truncated)]);
    put('next.success', [Number(frame.success)]);
    put('intervention', [Number(frame.intervention)]);
    put('capture_time', [frame.capture_time_s]);
    put('receive_time', [frame.receive_time_s]);
    this.frames++;
  }

  /** @param more columns that are gathered elsewhere: images */
  finish(task: string, notes: Partial<EpisodeNotes>, more: Record<string, Column> = {}): Episode {
    const columns = Object.entries(this.values).map(([name, v]) => [name, Float64Array.from(v)]);
    return { task, length: this.frames, ...notes, columns: { ...Object.fromEntries(columns), ...more } };
  }
}

/** A step of a dataset as a replay buffer takes it. */
export interface DatasetTransition {
  readonly observation: Float64Array;
  readonly action: Float64Array;
  readonly reward: number;
  readonly nextObservation: Float64Array;
  readonly terminal: boolean;
  readonly truncated: boolean;
  readonly interrupted: boolean;
}

/**
 * The steps of a dataset that a robot can learn a task from, episode after episode.
 * @throws UserError where its rate, its joints or its observations are not those of robot and task
 */
export async function* transitionsOf(
  dataset: Dataset,
  spec: RobotSpec,
  contract: TaskContract,
): AsyncGenerator<DatasetTransition> {
  if (dataset.info.fps !== spec.rates.policy_hz)
    throw new UserError(
      `${dataset.path}: recorded at ${dataset.info.fps} frames a second, ${spec.name} acts at ${spec.rates.policy_hz}`,
    );
  const expected = robotFeatures(spec, contract);
  for (const name of [
    'policy.observation',
    'policy.next_observation',
    'policy.action',
    'next.reward',
    'next.done',
  ])
    checkFeature(dataset, name, expected[name]);
  const O = observationSize(contract);
  const A = spec.joints.length;
  for (let e = 0; e < dataset.length; e++) {
    const { columns, length } = await dataset.episode(e);
    const numbers = (name: string) => columns[name] as Float64Array;
    for (let i = 0; i < length; i++) {
      const terminal = numbers('next.done')[i] !== 0;
      const last = i === length - 1;
      yield {
        observation: numbers('policy.observation').subarray(O * i, O * (i + 1)),
        action: numbers('policy.action').subarray(A * i, A * (i + 1)),
        reward: numbers('next.reward')[i],
        nextObservation: numbers('policy.next_observation').subarray(O * i, O * (i + 1)),
        terminal,
        truncated: last && !terminal,
        interrupted: false,
      };
    }
  }
}

function checkFeature(dataset: Dataset, name: string, expected: Feature): void {
  const found = dataset.features[name];
  if (!found) throw new UserError(`${dataset.path}: has no "${name}", which learning needs`);
  const names = (f: Feature) =>
    f.names === null ? `${f.shape[0]} numbers` : Object.values(f.names).join(', ');
  if (names(found) !== names(expected) || found.shape[0] !== expected.shape[0])
    throw new UserError(`${dataset.path}: "${name}" is of ${names(found)}; expected ${names(expected)}`);
}
