import { z } from 'zod';

/** What travels as telemetry, JSON each with a `seq`; units are in the names. */

export const descriptionSchema = z.object({
  schema: z.literal(1),
  robot: z.string().describe('kind of robot: the name in robot.yaml'),
  joints: z.array(z.string()),
  control_hz: z.number(),
  policy_hz: z.number(),
  task: z.string(),
  parameters: z.record(z.string(), z.unknown()).default({}).describe('of the task'),
  run: z.string(),
  observation: z.array(z.object({ name: z.string(), size: z.int(), unit: z.string() })),
  action: z.object({ kind: z.string(), scale_rad: z.array(z.number()) }),
  version: z.string().describe('of Reverie'),
});
export type Description = z.output<typeof descriptionSchema>;

export const healthSchema = z.object({
  mode: z.string(),
  latched: z.string().nullable(),
  ticks: z.number(),
  missed_ticks: z.number(),
  late_p999_ms: z.number(),
  asks_person: z.string().nullable().default(null).describe('what the robot waits for a person with'),
  falls: z.number(),
  episodes: z.number(),
  safety_events: z.number(),
  spool_transitions: z.number().describe('not yet stored by a learner'),
  spool_bytes: z.number(),
  spool_lost: z.number().describe('transitions given up'),
  transitions: z.number().describe('made in this life'),
});
export type Health = z.output<typeof healthSchema>;

/** Value and limit in the unit of the cause. */
export interface SafetyReport {
  readonly time_s: number;
  readonly cause: string;
  readonly joint: string | null;
  readonly value: number;
  readonly limit: number;
}

export const presenceSchema = z.object({
  online: z.boolean(),
  bd_seq: z.number(),
  time: z.string().optional().describe('of the birth, ISO 8601'),
});

/** Figures of a learner that every algorithm has; its losses come beside them. */
export const metricsSchema = z.looseObject({
  updates: z.number(),
  updates_per_s: z.number(),
  transitions: z.number(),
  replay: z.number().describe('transitions in it'),
  candidates: z.number(),
  published: z.number(),
  robots: z.number(),
  duplicates: z.number().describe('transitions that came again'),
  lost: z.number().describe('transitions that robots gave up'),
  refused: z.number().describe('messages'),
});
export type Metrics = z.output<typeof metricsSchema>;

/** Steps and traces in such a report: a page shows no more, and a robot keeps no more. */
const MOST_STEPS = 1000;
const MOST_TRACES = 20;

/** What a learner's world model expects of a stretch of experience, beside what happened in it. */
export const worldModelSchema = z.object({
  step_s: z.number().positive().describe('between two steps'),
  seen: z.int().positive().describe('steps that the model saw before it went on alone'),
  traces: z
    .array(
      z.object({
        label: z.string().max(100),
        observed: z.array(z.number()).min(1).max(MOST_STEPS),
        predicted: z.array(z.number()).max(MOST_STEPS).describe('of the steps after those seen'),
      }),
    )
    .min(1)
    .max(MOST_TRACES),
  error: z
    .array(z.number().nullable())
    .max(MOST_STEPS)
    .describe('by steps ahead, from one on: 1 is what guessing the mean achieves'),
});
export type WorldModelReport = z.output<typeof worldModelSchema>;
