import { relative } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../base/errors.js';
import { readYaml } from '../base/files.js';
import { loadLaunch } from '../launch/launch.js';
import { robotOf } from '../launch/robotOf.js';
import { loadRobot } from '../robot/load.js';
import type { RobotSpec } from '../robot/spec.js';
import { printJson, printTable, styled } from './output.js';

const EXAMPLES = `
Examples:
  reverie safety explain quadruped
  reverie safety explain launch/arm.sim.yaml          the same with what the launch file tightens
  reverie safety explain arm --json | jq '.limits[] | select(.function == "torque")'`;

/** One limit of a robot, and who set it. */
interface Explained {
  readonly function: string;
  readonly limit: string;
  readonly value: unknown;
  /** A file, or "built in" for a default that no file changed. */
  readonly source: string;
}

/** Which of the robot's fields each safety function works from; `joints` stands for every joint. */
const FUNCTIONS: readonly (readonly [name: string, fields: readonly string[]])[] = [
  ['stops', ['stop.pose_rad', 'stop.stand_s', 'stop.seconds', 'stop.afterwards', 'stop.emergency']],
  ['watchdogs', ['watchdog.sensor_age_s', 'watchdog.sensor_lost_s', 'watchdog.command_age_s']],
  ['sensor checks', ['watchdog.frozen_s', 'imu.gyro_max_rad_s', 'imu.accel_max_m_s2']],
  ['position', ['joints.position_rad']],
  ['velocity', ['joints.velocity_rad_s']],
  ['acceleration and room to brake', ['joints.acceleration_rad_s2']],
  ['low-pass and jerk', ['joints.jerk_rad_s3']],
  ['torque', ['joints.torque_nm']],
  ['power', ['power_w']],
  ['workspace', ['workspace.low_m', 'workspace.high_m']],
  ['self-collision', ['self_collision.radius_m']],
  ['geofence', ['geofence.side_m']],
  ['fall', ['fall.tilt_rad']],
  [
    'derating',
    [
      'joints.temperature_max_c',
      'derating.continuous_share',
      'derating.load_s',
      'supply.low_v',
      'supply.min_v',
    ],
  ],
  ['contact', ['contact.seconds', 'contact.torque_share']],
  ['person', ['person.deadman_s', 'person.tool_m_s', 'person.joint_share']],
  ['handover', ['handover_s']],
];

export function explainCommand(): Command {
  return new Command('explain')
    .description("print a robot's limits and where each comes from")
    .argument('<robot or launch>', 'robot by name or folder, or a launch file')
    .option('--json', 'print one object instead of a table')
    .addHelpText('after', EXAMPLES)
    .action((given: string, { json }: { json?: true }) => {
      const { spec, limits } = explain(given);
      if (json) return printJson({ robot: spec.name, limits });
      const rows = limits.map((l) => [
        l.function,
        l.limit,
        shown(l.value),
        l.source.startsWith('/') ? relative('', l.source) : l.source,
      ]);
      printTable([['function', 'limit', 'value', 'from'].map((t) => styled('bold', t)), ...rows]);
    });
}

function explain(given: string): { spec: RobotSpec; limits: Explained[] } {
  const launch = launchNamed(given);
  const { spec, path } = launch ? robotOf(launch) : loadRobot(given);
  const written = readYaml(path) as Record<string, unknown>;
  const own = loadRobot(path).spec;
  const limits: Explained[] = [];
  for (const [name, fields] of FUNCTIONS)
    for (const field of fields) {
      const [first, ...rest] = field.split('.');
      const places =
        first === 'joints' ? spec.joints.map((_, j) => ['joints', String(j), ...rest]) : [[first, ...rest]];
      for (const place of places) {
        const value = at(spec, place);
        const tightened = JSON.stringify(value) !== JSON.stringify(at(own, place));
        limits.push({
          function: name,
          limit: first === 'joints' ? `${spec.joints[Number(place[1])].name}.${rest[0]}` : field,
          value: value ?? null,
          source:
            value === undefined
              ? 'not set'
              : tightened
                ? launch!.path
                : at(written, place) === undefined
                  ? 'built in'
                  : path,
        });
      }
    }
  return { spec, limits };
}

/** A launch file is tried where there is no robot of that name. */
function launchNamed(given: string) {
  try {
    loadRobot(given);
    return undefined;
  } catch (noRobot) {
    try {
      return loadLaunch(given);
    } catch (noLaunch) {
      // Of a file that is there, its own fault is told.
      const error = given.includes('launch') ? noLaunch : noRobot;
      throw error instanceof UserError ? error : noRobot;
    }
  }
}

function at(value: unknown, place: readonly string[]): unknown {
  return place.reduce<unknown>((v, key) => (v as Record<string, unknown> | undefined)?.[key], value);
}

function shown(value: unknown): string {
  if (value === null) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
