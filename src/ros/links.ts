import type { RobotSpec } from '../robot/spec.js';

/** Frames by REP-105: where the robot started, and the robot. */
export const ODOM_FRAME = 'odom';
export const BASE_FRAME = 'base_link';

/** One link of the robot as the chains of `robot.yaml` describe it. */
export interface Link {
  readonly frame: string;
  readonly parent: string;
  /** Index of the joint that turns it in its parent; −1 where it is fixed there. */
  readonly joint: number;
  readonly offset_m: readonly number[];
  /** Unit vector in the link's frame. */
  readonly axis: readonly number[];
}

/**
 * The links of all chains, parents first: `NAME_link` behind the joint NAME, and at the end of a
 * chain a fixed frame with the chain's own name. A link that chains share is there once.
 */
export function linksOf(spec: RobotSpec): Link[] {
  const links = new Map<string, Link>();
  for (const chain of spec.chains) {
    let parent = BASE_FRAME;
    for (const { joint, offset_m, axis } of chain.links) {
      const frame = `${joint}_link`;
      const index = spec.joints.findIndex((j) => j.name === joint);
      const length = Math.hypot(...axis);
      const unit = axis.map((x) => x / length);
      if (!links.has(frame)) links.set(frame, { frame, parent, joint: index, offset_m, axis: unit });
      parent = frame;
    }
    links.set(chain.name, { frame: chain.name, parent, joint: -1, offset_m: chain.tip_m, axis: [0, 0, 1] });
  }
  return [...links.values()];
}
