import { admit } from '../../src/policy/admission.js';
import type { Manifest } from '../../src/policy/manifest.js';
import type { RobotSpec } from '../../src/robot/spec.js';
import type { Fault } from './faults.js';

/** A policy that is not for this robot: by name, by order of its joints, by rate, by reach. @returns whether it is admitted */
export function foreignPolicyFault(spec: RobotSpec, manifest: Manifest, { severity, joint }: Fault): boolean {
  const other = (joint + 1) % manifest.joints.length;
  const swapped = manifest.joints.with(joint, manifest.joints[other]).with(other, manifest.joints[joint]);
  const foreign: Partial<Manifest>[] = [
    { robot: 'goat' },
    { joints: swapped },
    { policy_hz: manifest.policy_hz * 2 },
    { observation: manifest.observation.slice(1) },
  ];
  const contract = { observation: manifest.observation, action: manifest.action };
  const policy = { ...manifest, ...foreign[Math.floor(severity * foreign.length)] };
  return admit(policy, { spec, contract }).admitted;
}
