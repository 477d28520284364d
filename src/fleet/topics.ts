import { UserError } from '../base/errors.js';

/**
 * The topic tree, version 1; docs/fleet.md has it with payloads and units. A SITE is one broker's
 * worth of robots, a ROBOT one machine of it, a RUN what is learned together: the robots of a run
 * share its learners and its policy, whatever site-wide name they have.
 */
const VERSION = 'v1';

export interface RobotTopics {
  /** Birth and last will, retained. */
  readonly presence: string;
  /** What it is, retained. */
  readonly description: string;
  /** Once a second. */
  readonly health: string;
  /** Each safety event. */
  readonly safety: string;
  /** What became of the newest policy, retained. */
  readonly policy: string;
  /** A learner's word of what it has stored. */
  readonly stored: string;
  /** A learner's word that it has written its checkpoint. */
  readonly saved: string;
}

/** @throws UserError where a name cannot be part of a topic */
export function robotTopics(site: string, robot: string): RobotTopics {
  const root = `reverie/${VERSION}/${part(site)}/robot/${part(robot)}`;
  return {
    presence: `${root}/presence`,
    description: `${root}/description`,
    health: `${root}/health`,
    safety: `${root}/safety`,
    policy: `${root}/policy`,
    stored: `${root}/stored`,
    saved: `${root}/saved`,
  };
}

export interface RunTopics {
  /** Where a robot asks who takes its experience. */
  join(robot: string): string;
  /** Where a robot's experience goes, once a learner has taken it. */
  experience(learner: string, robot: string): string;
  /** Where a robot asks the learners to write their checkpoints. */
  save(robot: string): string;
  /** Birth and last will of a learner, retained. */
  presence(learner: string): string;
  /** Training figures, once a second. */
  metrics(learner: string): string;
  /** What a learner's world model expects, beside what happened; every ten seconds or so. */
  worldModel(learner: string): string;
  /** The newest policy: what, for whom, signed; retained. */
  readonly offer: string;
  /** Its bytes, piece by piece; retained. */
  chunk(index: number): string;
}

/** @throws UserError where a name cannot be part of a topic */
export function runTopics(site: string, run: string): RunTopics {
  const root = `reverie/${VERSION}/${part(site)}/run/${part(run)}`;
  return {
    join: (robot) => `${root}/join/${part(robot)}`,
    experience: (learner, robot) => `${root}/experience/${part(learner)}/${part(robot)}`,
    save: (robot) => `${root}/save/${part(robot)}`,
    presence: (learner) => `${root}/learner/${part(learner)}/presence`,
    metrics: (learner) => `${root}/learner/${part(learner)}/metrics`,
    worldModel: (learner) => `${root}/learner/${part(learner)}/world_model`,
    offer: `${root}/policy/offer`,
    chunk: (index) => `${root}/policy/chunk/${index}`,
  };
}

/** In place of a name, in a filter: every name. */
export const ANY = '+';

/** A site's whole tree. */
export function siteFilter(site: string): string {
  return `reverie/${VERSION}/${part(site)}/#`;
}

/** A filter whose messages a broker deals out among those who ask for it under the same group (MQTT 5). */
export function shared(group: string, filter: string): string {
  return `$share/${part(group)}/${filter}`;
}

/** The last level of a topic: a robot's name in most. */
export function lastLevel(topic: string): string {
  return topic.slice(topic.lastIndexOf('/') + 1);
}

/** Does a topic fit a filter with "+" and "#"? */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.replace(/^\$share\/[^/]+\//, '').split('/');
  const levels = topic.split('/');
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true;
    if (i >= levels.length || (wanted[i] !== ANY && wanted[i] !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** A name must not hold a topic's separators or wildcards. */
function part(name: string): string {
  if (name !== ANY && !/^[A-Za-z0-9_-]+$/.test(name))
    throw new UserError(`"${name}" cannot be part of a topic; expected letters, digits, "_", "-"`);
  return name;
}
