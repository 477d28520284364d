import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Link } from './link.js';
import { MalformedMessage } from './refusals.js';
import { ANY, lastLevel, robotTopics, runTopics } from './topics.js';

/** A robot asks the learners of its run to write their checkpoints now; each says when it has. */
const requestSchema = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) });
const answerSchema = requestSchema.extend({ learner: z.string() });

export interface SaveNames {
  readonly site: string;
  readonly run: string;
}

/** The robot's end. */
export class SaveRequests {
  private readonly waiting = new Map<string, (learner: string) => void>();

  private constructor(
    private readonly link: Link,
    private readonly topic: string,
  ) {}

  static async create(link: Link, names: SaveNames & { readonly robot: string }): Promise<SaveRequests> {
    const { site, run, robot } = names;
    const requests = new SaveRequests(link, runTopics(site, run).save(robot));
    await link.subscribe(robotTopics(site, robot).saved, (payload, topic) =>
      link.refusals.guard(topic, () => {
        const { id, learner } = parse(answerSchema, payload);
        requests.waiting.get(id)?.(learner);
      }),
    );
    return requests;
  }

  /** @returns the name of the first learner that has @throws Error where none says so in time */
  save(timeout_s: number): Promise<string> {
    if (!this.link.connected) return Promise.reject(new Error('no connection to the broker'));
    const id = randomBytes(8).toString('hex');
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.waiting.delete(id);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`no learner has saved within ${timeout_s} s`));
      }, 1e3 * timeout_s);
      this.waiting.set(id, (learner) => {
        end();
        resolve(learner);
      });
      this.link.publish(this.topic, JSON.stringify({ id }));
    });
  }
}

/** The learner's end. @param save resolves once the checkpoint is written */
export async function answerSaves(
  link: Link,
  { site, run, learner }: SaveNames & { readonly learner: string },
  save: () => Promise<void>,
): Promise<void> {
  await link.subscribe(runTopics(site, run).save(ANY), (payload, topic) =>
    link.refusals.guard(topic, () => {
      const { id } = parse(requestSchema, payload);
      const { saved } = robotTopics(site, lastLevel(topic));
      void save().then(() => link.publish(saved, JSON.stringify({ id, learner })));
    }),
  );
}

function parse<Schema extends z.ZodType>(schema: Schema, payload: Buffer): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(payload.toString('utf8')));
  } catch {
    throw new MalformedMessage('expected JSON {id}, from a learner with its name as {learner}');
  }
}
