import { z } from 'zod';
import { handSchema } from '../teleop/hand.js';

/**
 * What the dashboard's page and its server say to each other, as JSON; the robot's motion goes beside
 * it in binary (`frame.ts`). What a page says is checked here, whoever wrote it.
 */

/** A hand on the page's controls. Sent at 20 Hz or more while the deadman switch is held. */
const handMessage = z.strictObject({ kind: z.literal('hand'), hand: handSchema });

const id = z.int().nonnegative().describe('repeated in the answer');

export const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('emergency_stop'), id }),
  z.strictObject({ kind: z.literal('reset'), id }),
  z.strictObject({ kind: z.literal('arm'), id }),
  z.strictObject({ kind: z.literal('stop'), id }),
  z.strictObject({ kind: z.literal('policies'), id }),
  z.strictObject({ kind: z.literal('policy'), id, name: z.string().min(1).max(200) }),
  z.strictObject({ kind: z.literal('take_over'), id }),
  z.strictObject({ kind: z.literal('release'), id }),
  z.strictObject({ kind: z.literal('pose'), id, pose: z.string().min(1).max(40) }),
  z.strictObject({
    kind: z.literal('record'),
    id,
    action: z.enum(['success', 'failure', 'discard', 'go_on']),
  }),
]);
export type Request = z.output<typeof requestSchema>;

const kinds = ['hand', ...requestSchema.options.map((o) => o.shape.kind.value)];
export const pageMessageSchema = z.discriminatedUnion('kind', [handMessage, ...requestSchema.options], {
  error: `expected an object whose "kind" is one of ${kinds.join(', ')}`,
});
export type PageMessage = z.output<typeof pageMessageSchema>;

/** First word of the server. */
export interface Hello {
  readonly kind: 'hello';
  /** Changes with every start of the robot process. */
  readonly session: string;
  readonly version: string;
  readonly robot: string;
  readonly task: string;
  readonly base: 'floating' | 'fixed';
  readonly hasImu: boolean;
  readonly joints: readonly {
    readonly name: string;
    readonly position_rad: readonly [number, number];
    readonly velocity_rad_s: number;
    readonly torque_nm: number;
    readonly temperature_max_c: number;
  }[];
  /** Joints that are looked at together: those of a leg, or all. */
  readonly groups: readonly { readonly name: string; readonly joints: readonly number[] }[];
  readonly feet: readonly string[];
  /** Things on the table. */
  readonly objects: readonly string[];
  /**
   * While a policy is still being learned, in simulation alone: there is no robot to command yet.
   * Steps at most, and what ends the training, in words.
   */
  readonly training?: { readonly steps: number; readonly goal: string };
  /** What a person can do: lead the tool of an arm, and poses by name. */
  readonly teleop: { readonly tool: boolean; readonly poses: readonly string[] };
}

/** What an operator says to a recording: labels of an episode; `go_on` begins the next, or pauses and goes on. */
export type RecordingAction = Extract<Request, { kind: 'record' }>['action'];

export interface RecordingState {
  /** Of the episode that runs or ran last; −1 before the first. */
  readonly episode: number;
  readonly running: boolean;
  readonly paused: boolean;
  /** Whether the operator says what is an episode, and not the control loop. */
  readonly byOperator: boolean;
  readonly messages: number;
}

export interface Status {
  readonly kind: 'status';
  readonly mode: string;
  readonly authority: string;
  readonly latched: string | null;
  readonly policy: string | null;
  readonly seconds: number;
  readonly ticks: number;
  readonly missed_ticks: number;
  readonly late_p50_ms: number;
  readonly late_p99_ms: number;
  readonly late_max_ms: number;
  readonly safety_events: number;
  readonly episodes: number;
  readonly falls: number;
  readonly drive_watchdog: number;
  /** What the robot waits for a person with. */
  readonly asks_person: string | null;
  /** Where it is recorded. */
  readonly recording: RecordingState | null;
}

/** An intervention of the safety kernel. */
export interface EventNote {
  readonly kind: 'event';
  /** On the robot's clock. */
  readonly time_s: number;
  readonly cause: string;
  readonly joint: string | null;
  readonly value: number | null;
  readonly limit: number | null;
  /** Whether it stopped the robot; the others only shaped what was asked. */
  readonly stops: boolean;
}

/** An episode that ended on the robot, or in the simulations of a training run. */
export interface EpisodeNote {
  readonly kind: 'episode';
  readonly episode: number;
  readonly return: number;
  readonly seconds: number;
  readonly fell: boolean;
  /** A person commanded in a part of it. */
  readonly intervention: boolean;
}

/** Figures of a learner: numbers by their names. */
export interface LearnerNote {
  readonly kind: 'learner';
  readonly figures: Readonly<Record<string, number>>;
}

/** What a learner's world model expects, beside what happened. */
export interface WorldModelNote {
  readonly kind: 'world_model';
  /** Time between two steps. */
  readonly step_s: number;
  /** Steps that the model saw before it went on alone. */
  readonly seen: number;
  /** Of one stretch of experience: what was observed at all steps, what was predicted after those seen. */
  readonly traces: readonly {
    readonly label: string;
    readonly observed: readonly number[];
    readonly predicted: readonly number[];
  }[];
  /**
   * Error of predictions by how many steps ahead they are, from one on, over many stretches: 1 is what guessing the
   * mean achieves, null where no stretch is that long.
   */
  readonly error: readonly (number | null)[];
}

/** Policies to choose from. */
export interface PoliciesNote {
  readonly kind: 'policies';
  readonly policies: readonly {
    readonly name: string;
    /** What its evaluation says, in a line. */
    readonly evaluation: string | null;
    /** Why it would not be admitted; none where it would. */
    readonly refusals: readonly string[];
  }[];
}

/** What became of a request; `id` is null where the message was not understood at all. */
export interface Answer {
  readonly kind: 'answer';
  readonly id: number | null;
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

/** What the server says of its own accord, after its first word. */
export type Note = Status | EventNote | EpisodeNote | LearnerNote | WorldModelNote | PoliciesNote;

export type ServerMessage = Hello | Note | Answer;

/** Paths on the server. */
export const PATHS = { live: '/live', scene: '/scene.json' } as const;
