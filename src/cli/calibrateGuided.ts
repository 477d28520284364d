import { createInterface } from 'node:readline';
import { toDrive_rad } from '../../drivers/bus/drive.js';
import { type CalibratedJoint, calibratedJoint, LEAST_WAY_RAD } from '../../drivers/tools/calibration.js';
import { protocols } from '../../drivers/tools/scan.js';
import type { Tool } from '../../drivers/tools/tool.js';
import { UserError } from '../base/errors.js';
import { type DriveBusSpec, hasDrives, type JointDrive } from '../robot/busSpec.js';
import { loadRobot, type Robot } from '../robot/load.js';
import type { JointSpec } from '../robot/spec.js';
import { type JointOnBus, Look, Progress, type Step } from './calibrationSteps.js';
import { printJson, printTable } from './output.js';
import { Person } from './person.js';
import { editRobotFile } from './robotFile.js';

export interface GuidedOptions {
  readonly port?: string;
  readonly bus?: string;
  readonly at: 'home' | 'zero';
  readonly limits?: true;
  readonly fresh?: true;
  readonly json?: true;
}

/** Exit code where the person ended it before the last step. */
const UNFINISHED = 1;
const PATIENCE_MS = 200;

/** Leads a person through a calibration. @throws UserError naming port, id and what to try; what was recorded is kept */
export async function guide(name: string, options: GuidedOptions & { readonly port: string }): Promise<void> {
  const robot = loadRobot(name);
  const bus = chosenBus(robot, options.bus);
  const joints = robot.spec.joints
    .filter((joint) => joint.name in bus.joints)
    .map((joint) => ({ joint, map: bus.joints[joint.name] as JointDrive }));
  const at_rad = (joint: JointSpec) => (options.at === 'home' ? joint.home_rad : 0);
  const steps = stepsOf(joints, options.at, at_rad);
  const progress = new Progress(`${robot.path}.calibration`, bus, options, joints);
  const person = createInterface({ input: process.stdin });
  const tool = await protocols[bus.protocol].open(options.port, bus.baud);
  try {
    tool.patience_ms = PATIENCE_MS;
    await requireAll(tool, joints, bus);
    if (!(await walk(steps, progress, tool, new Person(person)))) {
      say(`ended before "${progress.next(steps)?.name}"; the same command goes on there`);
      process.exitCode = UNFINISHED;
      return;
    }
    const found = joints.map(({ joint, map }) =>
      calibratedJoint(joint, map, at_rad(joint), {
        known_rad: progress.of('pose', joint.name),
        low_rad: progress.of(`${joint.name} low`, joint.name),
        high_rad: progress.of(`${joint.name} high`, joint.name),
      }),
    );
    const backup = write(robot, bus, found);
    if (options.limits) await writeLimits(tool, joints, found);
    progress.clear();
    report(robot.path, backup, found, options.json);
  } finally {
    person.close();
    process.stdin.destroy();
    await tool.close();
  }
}

const say = (line: string) => process.stderr.write(`${line}\n`);

function chosenBus({ spec, path }: Robot, name: string | undefined): DriveBusSpec {
  const all = (spec.bus ?? []).filter(hasDrives);
  const wanted = name === undefined ? all : all.filter((bus) => bus.name === name);
  if (wanted.length === 1) return wanted[0];
  const names = all.map((bus) => bus.name).join(', ');
  throw new UserError(
    all.length === 0
      ? `${path}: has no bus of drives`
      : `${path}: ${name === undefined ? 'has several buses' : `no bus "${name}"`}; --bus takes one of ${names}`,
  );
}

function stepsOf(joints: readonly JointOnBus[], at: string, at_rad: (joint: JointSpec) => number): Step[] {
  const pose = joints.map(({ joint }) => `${joint.name} ${at_rad(joint)}`).join(', ');
  return [
    { name: 'pose', ask: `Hold the robot in its ${at} pose (rad): ${pose}`, joints },
    ...joints.flatMap((one) => {
      const { name } = one.joint;
      return [
        {
          name: `${name} low`,
          ask: `Bring ${name} to the end of its way where its angle is smallest`,
          joints: [one],
        },
        {
          name: `${name} high`,
          ask: `Now through its whole way, to the end where its angle is largest`,
          joints: [one],
        },
      ];
    }),
  ];
}

/** @throws UserError naming those that do not answer */
async function requireAll(tool: Tool, joints: readonly JointOnBus[], bus: DriveBusSpec): Promise<void> {
  const measured = await tool.measure(joints.map(({ map }) => map.id));
  const missing = joints.filter(({ map }) => !measured.has(map.id));
  if (missing.length > 0)
    throw new UserError(
      `${tool.port} at ${bus.baud} baud: no answer from ${missing.map(({ joint, map }) => `id ${map.id} (${joint.name})`).join(', ')}; ` +
        `powered and cabled? \`reverie bus scan ${tool.port} --protocol ${bus.protocol}\` shows who answers`,
    );
}

/** Step after step. @returns whether all were taken */
async function walk(
  steps: readonly Step[],
  progress: Progress,
  tool: Tool,
  person: Person,
): Promise<boolean> {
  if (progress.begun) say('going on with what was recorded before; --fresh begins anew');
  say('Torque goes off: hold the robot. Enter goes on, q ends.');
  const answer = await person.line(async () => {});
  if (answer === undefined || answer === 'q') return false;
  for (const { joint, map } of steps[0].joints)
    if (!(await tool.release(map.id)))
      throw new UserError(
        `${tool.port}, id ${map.id} (${joint.name}): torque off is not confirmed; check cable and supply`,
      );
  for (let step = progress.next(steps); step; step = progress.next(steps)) {
    say(`${steps.indexOf(step) + 1} of ${steps.length}: ${step.ask}. Enter, b, q`);
    const look = new Look(tool, step);
    const word = await person.line(() => look.again());
    if (word === undefined || word === 'q') return false;
    if (word === 'b') {
      const before = steps[steps.indexOf(step) - 1];
      if (before) progress.forget(before.name);
      continue;
    }
    await look.again();
    const shafts_rad = look.shafts_rad();
    const [only] = step.joints;
    if (step.name.endsWith(' high')) {
      const way = Math.abs(
        shafts_rad[only.joint.name] - progress.of(`${only.joint.name} low`, only.joint.name),
      );
      if (way / only.map.gear_ratio < LEAST_WAY_RAD) {
        say(`${only.joint.name} went no farther than ${way.toFixed(3)} rad from its other end; once more`);
        continue;
      }
    }
    progress.record(step.name, shafts_rad);
    say(
      `  ${Object.entries(shafts_rad)
        .map(([joint, q]) => `${joint} ${q.toFixed(3)}`)
        .join(', ')} (shaft, rad)`,
    );
  }
  return true;
}

function write(robot: Robot, bus: DriveBusSpec, found: readonly CalibratedJoint[]): string {
  const { spec, path } = robot;
  const b = spec.bus!.indexOf(bus);
  return editRobotFile(
    path,
    'the calibration',
    (document) => {
      for (const { joint, sign, offset_rad, position_rad } of found) {
        for (const [key, value] of Object.entries({ sign, offset_rad }))
          document.setIn(['bus', b, 'joints', joint, key], value);
        const j = spec.joints.findIndex(({ name }) => name === joint);
        document.setIn(['joints', j, 'position_rad'], document.createNode(position_rad, { flow: true }));
      }
    },
    (changed) => {
      // A joint of another bus may take its range over from one of these.
      changed.joints.forEach(({ name, position_rad }, j) => {
        const before = found.find(({ joint }) => joint === name) ?? spec.joints[j];
        if (before.position_rad.some((q, k) => q !== position_rad[k]))
          throw new UserError(
            `${path}: ${name} takes its position_rad over from another joint; write it out there`,
          );
      });
    },
  );
}

async function writeLimits(
  tool: Tool,
  joints: readonly JointOnBus[],
  found: readonly CalibratedJoint[],
): Promise<void> {
  for (const [i, { map }] of joints.entries()) {
    const { sign, offset_rad, position_rad } = found[i];
    const shaft = position_rad.map((q) => toDrive_rad(q, { ...map, sign, offset_rad })).sort((a, b) => a - b);
    await tool.setLimits(map.id, [shaft[0], shaft[1]]);
  }
}

function report(
  path: string,
  backup: string,
  joints: readonly CalibratedJoint[],
  json: true | undefined,
): void {
  if (json) {
    printJson({ path, backup, joints });
    return;
  }
  const range = (of: readonly number[]) => of.map((q) => q.toFixed(3)).join(' to ');
  printTable([
    ['joint', 'id', 'sign', 'offset, rad', 'ends, rad', 'position_rad'],
    ...joints.map((j) => [
      j.joint,
      String(j.id),
      String(j.sign),
      String(j.offset_rad),
      range(j.measured_rad),
      range(j.position_rad),
    ]),
  ]);
  process.stdout.write(`written to ${path}; as it was: ${backup}\n`);
}
