import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { packageRoot } from '../base/files.js';
import type { PoliciesNote } from '../dashboard/protocol.js';
import type { Launch } from '../launch/launch.js';
import { admit } from '../policy/admission.js';
import { type Bundle, readBundle } from '../policy/bundle.js';
import type { Evaluation } from '../policy/manifest.js';
import type { RobotSpec } from '../robot/spec.js';
import { createTask } from '../tasks/index.js';

/** Policies that an operator can choose from: those that come along, and those of runs that are kept here. */
export class PolicyShelf {
  private readonly folders = new Map<string, string>();

  constructor(
    private readonly launch: Launch,
    private readonly spec: RobotSpec,
  ) {}

  /** Looks anew: a run may have ended since. Damaged bundles are listed with what is wrong with them. */
  list(): PoliciesNote {
    this.find();
    return {
      kind: 'policies',
      policies: [...this.folders].map(([name, folder]) => ({ name, ...this.describe(folder) })),
    };
  }

  /** @throws UserError where there is none of that name, or it is damaged */
  open(name: string): Bundle {
    if (!this.folders.has(name)) this.find();
    const folder = this.folders.get(name);
    if (!folder) throw new UserError(`no policy "${name}"`);
    return readBundle(folder);
  }

  private find(): void {
    this.folders.clear();
    const add = (name: string, folder: string) => {
      if (existsSync(join(folder, 'manifest.json'))) this.folders.set(name, folder);
    };
    const shipped = join(packageRoot, 'policies');
    for (const name of namesIn(shipped)) add(name, join(shipped, name));
    const { runs } = this.launch;
    for (const run of namesIn(runs))
      for (const policy of ['policy', 'learner/policy']) add(`${run}/${policy}`, join(runs, run, policy));
  }

  private describe(folder: string): { evaluation: string | null; refusals: readonly string[] } {
    try {
      const { manifest } = readBundle(folder);
      const { contract } = createTask(this.launch.task, this.spec);
      const admission = admit(manifest, { spec: this.spec, contract });
      return {
        evaluation: manifest.evaluation && inWords(manifest.evaluation),
        refusals: admission.admitted ? [] : admission.reasons,
      };
    } catch (error) {
      return { evaluation: null, refusals: [(error as Error).message] };
    }
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function inWords({ episodes, falls, mean_speed_mps, success_rate }: Evaluation): string {
  const parts = [
    mean_speed_mps === null ? [] : [`${mean_speed_mps.toFixed(2)} m/s`],
    falls === null ? [] : [`${falls} falls`],
    success_rate === null ? [] : [`${Math.round(100 * success_rate)} % success`],
    [`${episodes} episodes`],
  ];
  return parts.flat().join(', ');
}
