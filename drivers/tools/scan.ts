import type { DriveBusSpec } from '../../src/robot/busSpec.js';
import { DynamixelTool } from './dynamixel.js';
import { FeetechTool } from './feetech.js';
import { MitTool } from './mitcan.js';
import { MoteusTool } from './moteus.js';
import { OdriveTool } from './odrive.js';
import type { Identity, Tool } from './tool.js';

export type Protocol = DriveBusSpec['protocol'];

export interface Found extends Identity {
  readonly port: string;
  readonly id: number;
}

interface Known {
  readonly open: (port: string, baud: number) => Promise<Tool>;
  /** Lowest and highest id. */
  readonly ids: readonly [number, number];
}

export const protocols: Readonly<Record<Protocol, Known>> = {
  feetech: { open: FeetechTool.open, ids: [0, 253] },
  dynamixel: { open: DynamixelTool.open, ids: [0, 252] },
  mitcan: { open: MitTool.open, ids: [1, 15] },
  moteus: { open: MoteusTool.open, ids: [1, 127] },
  odrive: { open: OdriveTool.open, ids: [0, 1] },
};

/** Every id of a family. */
export function idsOf(protocol: Protocol): number[] {
  const [lowest, highest] = protocols[protocol].ids;
  return Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);
}

/** Who answers on a line, and what it is; nothing is written and no torque changes. */
export async function scan(tool: Tool, ids: readonly number[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const id of ids) {
    const identity = await tool.identify(id);
    if (identity) found.push({ port: tool.port, id, ...identity });
  }
  return found;
}
