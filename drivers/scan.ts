import type { DriveBusSpec } from '../src/robot/busSpec.js';
import { DynamixelBus } from './dynamixel/bus.js';
import { FeetechBus } from './feetech/bus.js';
import { Register as Feetech } from './feetech/registers.js';
import { MitBus } from './mitcan/bus.js';
import { Register as Mit } from './mitcan/registers.js';
import { MoteusBus } from './moteus/bus.js';
import { Identity } from './moteus/codec.js';
import { OdriveBus } from './odrive/bus.js';

export interface Found {
  readonly port: string;
  readonly id: number;
  readonly model: number;
  readonly firmware: string;
}

/** Asks one id who it is. @returns undefined where nobody answers */
type Identify = (id: number) => Promise<Omit<Found, 'port' | 'id'> | undefined>;

/** Lowest and highest id of each family. */
export const idRange: Readonly<Record<DriveBusSpec['protocol'], readonly [number, number]>> = {
  feetech: [0, 253],
  dynamixel: [0, 252],
  mitcan: [1, 15],
  moteus: [1, 127],
  odrive: [0, 1],
};

interface Opened {
  patience_ms: number;
  readonly wire: { close(): Promise<void> };
}

/**
 * Who answers on a line, and what it is; nothing is written and no torque changes.
 * @param wait_ms longest that an answer may take
 * @throws UserError naming the port and what to try
 */
export async function scan(
  protocol: DriveBusSpec['protocol'],
  port: string,
  baud: number,
  ids: readonly number[],
  wait_ms: number,
): Promise<Found[]> {
  const [bus, identify] = await open(protocol, port, baud);
  bus.patience_ms = wait_ms;
  const found: Found[] = [];
  try {
    for (const id of ids) {
      const identity = await identify(id);
      if (identity) found.push({ port, id, ...identity });
    }
  } finally {
    await bus.wire.close();
  }
  return found;
}

async function open(
  protocol: DriveBusSpec['protocol'],
  port: string,
  baud: number,
): Promise<readonly [Opened, Identify]> {
  switch (protocol) {
    case 'feetech': {
      const bus = await FeetechBus.open(port, baud);
      const identify: Identify = async (id) => {
        const data = (await bus.ping(id)) ? await bus.read(id, Feetech.firmware, 5) : undefined;
        return data && { model: data[3] | (data[4] << 8), firmware: `${data[0]}.${data[1]}` };
      };
      return [bus, identify];
    }
    case 'dynamixel': {
      const bus = await DynamixelBus.open(port, baud);
      const identify: Identify = async (id) => {
        const found = await bus.ping(id, 1);
        return found && { model: found.model, firmware: String(found.firmware) };
      };
      return [bus, identify];
    }
    case 'mitcan': {
      // A port without a slash is an interface of SocketCAN.
      const bus = await MitBus.open(port.includes('/') ? 'slcan' : 'socketcan', port, baud);
      const identify: Identify = async (id) => {
        const firmware = await bus.read(id, Mit.firmware, 1);
        if (firmware === undefined) return undefined;
        return { model: (await bus.read(id, Mit.hardware)) ?? 0, firmware: firmware.toString(16) };
      };
      return [bus, identify];
    }
    case 'moteus': {
      const bus = await MoteusBus.open(port, baud);
      const identify: Identify = async (id) => {
        const values = await bus.read(id, Identity.model, 2, 1);
        return values && { model: values[0], firmware: values[1].toString(16) };
      };
      return [bus, identify];
    }
    case 'odrive': {
      const bus = await OdriveBus.open(port, baud);
      const identify: Identify = async (id) => {
        if ((await bus.read(`axis${id}.current_state`, 1)) === undefined) return undefined;
        const [model, major, minor] = [
          await bus.read('hw_version_major'),
          await bus.read('fw_version_major'),
          await bus.read('fw_version_minor'),
        ];
        return { model: model ?? 0, firmware: `${major ?? '?'}.${minor ?? '?'}` };
      };
      return [bus, identify];
    }
  }
}
