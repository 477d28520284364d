import type { RobotSpec } from '../robot/spec.js';
import type { Contract, Manifest } from './manifest.js';

export type Admission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly reasons: readonly string[] };

/** Angles in a file may have gone through a text with fewer digits. */
const ANGLE_TOLERANCE_RAD = 1e-6;

/**
 * May this policy move this robot? Compares name, joints, rate, observation and action, and that no
 * action asks for a target outside the joint limits. Each reason names both sides.
 * @param robot.contract of the task that will feed the policy; without it only the robot is compared
 */
export function admit(
  manifest: Manifest,
  robot: { readonly spec: RobotSpec; readonly contract?: Contract },
): Admission {
  const { spec, contract } = robot;
  const reasons: string[] = [];
  if (manifest.robot !== spec.name)
    reasons.push(`the policy is for robot "${manifest.robot}", this is "${spec.name}"`);
  const joints = spec.joints.map((j) => j.name);
  const sameJoints =
    manifest.joints.length === joints.length && manifest.joints.every((n, i) => n === joints[i]);
  if (!sameJoints) reasons.push(jointReason(manifest.joints, joints));
  if (manifest.policy_hz !== spec.rates.policy_hz)
    reasons.push(`the policy acts at ${manifest.policy_hz} Hz, the robot at ${spec.rates.policy_hz} Hz`);
  if (sameJoints) reasons.push(...rangeReasons(manifest, spec));
  if (contract) {
    reasons.push(...observationReasons(manifest.observation, contract.observation));
    reasons.push(...actionReasons(manifest, contract.action));
  }
  return reasons.length === 0 ? { admitted: true } : { admitted: false, reasons };
}

function jointReason(policy: readonly string[], robot: readonly string[]): string {
  if (policy.length !== robot.length)
    return `the policy moves ${policy.length} joints (${policy.join(', ')}), the robot has ${robot.length} (${robot.join(', ')})`;
  const i = policy.findIndex((name, at) => name !== robot[at]);
  return `joint ${i} of the policy is "${policy[i]}", of the robot "${robot[i]}"`;
}

function rangeReasons({ action }: Manifest, spec: RobotSpec): string[] {
  return spec.joints.flatMap((joint, i) => {
    const [low, high] = joint.position_rad;
    const scale = action.scale_rad[i];
    const limits = `${joint.name} is limited to [${low}, ${high}] rad`;
    if (action.kind === 'delta')
      return scale > high - low ? [`one action moves the target by up to ${scale} rad, ${limits}`] : [];
    const [from, to] = [action.centre_rad[i] - scale, action.centre_rad[i] + scale];
    if (from >= low - ANGLE_TOLERANCE_RAD && to <= high + ANGLE_TOLERANCE_RAD) return [];
    return [`actions reach [${round(from)}, ${round(to)}] rad, ${limits}`];
  });
}

function observationReasons(policy: Contract['observation'], task: Contract['observation']): string[] {
  const shape = ({ size, image }: Contract['observation'][number]) =>
    image ? `a picture of ${image.height}×${image.width}×${image.channels}` : size;
  const describe = (part: Contract['observation'][number] | undefined) =>
    part ? `${part.name} (${shape(part)}, ${part.unit})` : 'nothing';
  const reasons: string[] = [];
  for (let i = 0; i < Math.max(policy.length, task.length); i++) {
    const [wants, gets] = [describe(policy[i]), describe(task[i])];
    if (wants !== gets)
      reasons.push(`part ${i} of the observation: the policy expects ${wants}, the task gives ${gets}`);
  }
  return reasons;
}

function actionReasons({ action, joints }: Manifest, task: Contract['action']): string[] {
  if (action.kind !== task.kind)
    return [`the policy's actions are of kind "${action.kind}", the task takes "${task.kind}"`];
  if (action.share !== task.share)
    return [`the policy's actions go ${action.share} of the way in a step, the task's ${task.share}`];
  if (action.scale_rad.length !== task.scale_rad.length)
    return [`the policy has ${action.scale_rad.length} actions, the task takes ${task.scale_rad.length}`];
  return joints.flatMap((joint, i) =>
    (['centre_rad', 'scale_rad'] as const).flatMap((key) =>
      Math.abs(action[key][i] - task[key][i]) <= ANGLE_TOLERANCE_RAD
        ? []
        : [`action of ${joint}: ${key} is ${action[key][i]} for the policy, ${task[key][i]} for the task`],
    ),
  );
}

function round(x: number): number {
  return Number(x.toFixed(4));
}
