import type { RobotSpec } from '../robot/spec.js';
import { BASE_FRAME, linksOf } from './links.js';

/**
 * A URDF of the robot as the chains of `robot.yaml` have it, for `/robot_description`: the frames that
 * `/tf` has, joints with their ranges, and a line for each link. It is for looking at, not for physics.
 */
export function urdfOf(spec: RobotSpec): string {
  const links = linksOf(spec);
  const lines = [`<?xml version="1.0"?>`, `<robot name="${spec.name}">`, `  <link name="${BASE_FRAME}"/>`];
  for (const { frame, parent, joint, offset_m, axis } of links) {
    const next = links.find((link) => link.parent === frame);
    lines.push(next ? link(frame, next.offset_m) : `  <link name="${frame}"/>`);
    const origin = `<origin xyz="${offset_m.join(' ')}"/>`;
    const ends = `<parent link="${parent}"/><child link="${frame}"/>`;
    if (joint < 0) lines.push(`  <joint name="${frame}_fixed" type="fixed">${ends}${origin}</joint>`);
    else {
      const { name, position_rad, torque_nm, velocity_rad_s } = spec.joints[joint];
      const [lower, upper] = position_rad;
      const limit = `<limit lower="${lower}" upper="${upper}" effort="${torque_nm}" velocity="${velocity_rad_s}"/>`;
      lines.push(
        `  <joint name="${name}" type="revolute">${ends}${origin}<axis xyz="${axis.join(' ')}"/>${limit}</joint>`,
      );
    }
  }
  return `${lines.join('\n')}\n</robot>\n`;
}

const THICKNESS_M = 0.02;

/** A rod from the link's own frame to the next one. */
function link(frame: string, to_m: readonly number[]): string {
  const [x, y, z] = to_m;
  const length = Math.hypot(x, y, z);
  const middle = `xyz="${to_m.map((v) => v / 2).join(' ')}"`;
  // A cylinder lies along z: turned about y, then about z.
  const turn = `rpy="0 ${Math.atan2(Math.hypot(x, y), z)} ${Math.atan2(y, x)}"`;
  const shape = `<geometry><cylinder radius="${THICKNESS_M / 2}" length="${length}"/></geometry>`;
  return `  <link name="${frame}"><visual><origin ${middle} ${turn}/>${shape}</visual></link>`;
}
