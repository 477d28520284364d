import { UserError } from '../../src/base/errors.js';
import { cycleOf, OdriveBus } from '../odrive/bus.js';
import { AxisState } from '../odrive/codec.js';
import { type Identity, type Measured, OnLine, type Tool } from './tool.js';

const TURN_RAD = 2 * Math.PI;

export class OdriveTool extends OnLine<OdriveBus> implements Tool {
  readonly schedule = cycleOf;

  static async open(port: string, baud: number): Promise<OdriveTool> {
    return new OdriveTool(await OdriveBus.open(port, baud));
  }

  async identify(id: number): Promise<Identity | undefined> {
    if ((await this.bus.read(`axis${id}.current_state`, 1)) === undefined) return undefined;
    const model = await this.bus.read('hw_version_major');
    const major = await this.bus.read('fw_version_major');
    const minor = await this.bus.read('fw_version_minor');
    return { model: model ?? 0, firmware: `${major ?? '?'}.${minor ?? '?'}` };
  }

  async measure(ids: readonly number[]): Promise<Map<number, Measured>> {
    const measured = new Map<number, Measured>();
    for (const id of ids) {
      const feedback = await this.bus.feedback(id);
      if (!feedback) continue;
      const errors = (await this.bus.read(`axis${id}.error`)) ?? 0;
      measured.set(id, {
        position_rad: feedback.turns * TURN_RAD,
        velocity_rad_s: feedback.turns_s * TURN_RAD,
        current_a: await this.bus.read(`axis${id}.motor.current_control.Iq_measured`),
        voltage_v: await this.bus.read('vbus_voltage'),
        temperature_c: await this.bus.read(`axis${id}.fet_thermistor.temperature`),
        fault: errors === 0 ? null : `error 0x${errors.toString(16)}`,
      });
    }
    return measured;
  }

  async release(id: number): Promise<boolean> {
    const state = await this.bus.write(
      `axis${id}.requested_state`,
      AxisState.idle,
      `axis${id}.current_state`,
    );
    return state === AxisState.idle;
  }

  /** Samples alone: a goal would stay behind for the next closed loop. */
  async cycle(ids: readonly number[]): Promise<ReadonlySet<number>> {
    const answered = new Set<number>();
    for (const id of ids) if (await this.bus.feedback(id)) answered.add(id);
    return answered;
  }

  async setId(from: number): Promise<void> {
    throw new UserError(
      `${this.port}, id ${from}: ids of an ODrive are its axes, 0 and 1; exchange the motors' plugs`,
    );
  }

  async setLimits(id: number): Promise<void> {
    throw new UserError(`${this.port}, id ${id}: an ODrive keeps no limits of position`);
  }
}
