/**
 * The topic tree, version 1:
 *
 *     reverie/v1/SITE/ROBOT/experience          robot → learner   transitions, binary (experience.ts)
 *     reverie/v1/SITE/ROBOT/experience/stored   learner → robot   JSON {session, next}: stored up to here
 *     reverie/v1/SITE/ROBOT/policy              learner → robot   policy, binary, retained (policies.ts)
 *     reverie/v1/SITE/ROBOT/policy/status       robot → all       JSON {id, admitted, reasons}, retained
 *     reverie/v1/SITE/ROBOT/learner/metrics     learner → all     JSON, see `LearnerMetrics`
 *     reverie/v1/SITE/ROBOT/presence/ROLE       each → all        JSON {online}, retained, also the last will
 */
export interface Topics {
  readonly experience: string;
  readonly stored: string;
  readonly policy: string;
  readonly policyStatus: string;
  readonly metrics: string;
  readonly presence: Readonly<Record<Role, string>>;
}

export type Role = 'robot' | 'learner';

/** @param site, robot letters, digits, "_" and "-": a topic's wildcards and separators must not be in them */
export function topicsOf(site: string, robot: string): Topics {
  for (const part of [site, robot])
    if (!/^[A-Za-z0-9_-]+$/.test(part)) throw new RangeError(`"${part}" cannot be part of a topic`);
  const root = `reverie/v1/${site}/${robot}`;
  return {
    experience: `${root}/experience`,
    stored: `${root}/experience/stored`,
    policy: `${root}/policy`,
    policyStatus: `${root}/policy/status`,
    metrics: `${root}/learner/metrics`,
    presence: { robot: `${root}/presence/robot`, learner: `${root}/presence/learner` },
  };
}
