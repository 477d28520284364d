import { UserError } from '../../src/base/errors.js';
import { cycleOf, MoteusBus, type MoteusFeedback } from '../moteus/bus.js';
import { Identity as Known, Mode, Register } from '../moteus/codec.js';
import { type Identity, type Measured, OnLine, type Tool } from './tool.js';

const TURN_RAD = 2 * Math.PI;
const FAULT = 1;

export class MoteusTool extends OnLine<MoteusBus> implements Tool {
  readonly schedule = cycleOf;

  static async open(port: string, baud: number): Promise<MoteusTool> {
    return new MoteusTool(await MoteusBus.open(port, baud));
  }

  async identify(id: number): Promise<Identity | undefined> {
    const values = await this.bus.read(id, Known.model, 2, 1);
    return values && { model: values[0], firmware: values[1].toString(16) };
  }

  async measure(ids: readonly number[]): Promise<Map<number, Measured>> {
    const answers = await this.bus.query(
      ids,
      ids.map(() => []),
    );
    return new Map([...answers].map(([id, feedback]) => [id, measuredOf(feedback)]));
  }

  async release(id: number): Promise<boolean> {
    const stop = [{ register: Register.mode, kind: 'int8' as const, values: [Mode.stop] }];
    return (await this.bus.insistOn(id, stop))?.mode === Mode.stop;
  }

  /** Samples alone: a command would change the mode. */
  async cycle(ids: readonly number[]): Promise<ReadonlySet<number>> {
    return new Set((await this.measure(ids)).keys());
  }

  async setId(from: number): Promise<void> {
    throw new UserError(
      `${this.port}, id ${from}: a moteus has its id in its configuration: moteus_tool -t ${from} -c, then "conf set id.id N" and "conf write"`,
    );
  }

  async setLimits(id: number): Promise<void> {
    throw new UserError(
      `${this.port}, id ${id}: a moteus has its limits in its configuration, servopos.position_min and _max`,
    );
  }
}

function measuredOf(feedback: MoteusFeedback): Measured {
  const { position_rev, velocity_rev_s, torque_nm, voltage_v, temperature_c, mode, fault } = feedback;
  return {
    position_rad: position_rev * TURN_RAD,
    velocity_rad_s: velocity_rev_s * TURN_RAD,
    torque_nm,
    voltage_v,
    temperature_c,
    fault: mode === FAULT ? `fault ${fault}` : null,
  };
}
