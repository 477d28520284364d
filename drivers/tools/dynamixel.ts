import { UserError } from '../../src/base/errors.js';
import { COUNT_RAD, COUNTS } from '../bus/encoder.js';
import { cycleOf, DynamixelBus } from '../dynamixel/bus.js';
import { hardwareErrorNames, statusError, syncWrite } from '../dynamixel/codec.js';
import { decodeFeedback, FEEDBACK, le32, models, Register } from '../dynamixel/registers.js';
import type { Schedule } from '../schedule.js';
import { type Identity, type Measured, OnLine, type Tool } from './tool.js';

export class DynamixelTool extends OnLine<DynamixelBus> implements Tool {
  private readonly currents_a = new Map<number, number | undefined>();
  private readonly stood = new Map<number, number>();

  static async open(port: string, baud: number): Promise<DynamixelTool> {
    return new DynamixelTool(await DynamixelBus.open(port, baud));
  }

  async identify(id: number): Promise<Identity | undefined> {
    const found = await this.bus.ping(id, 1);
    if (found) this.currents_a.set(id, models[found.model]?.current_a);
    return found && { model: found.model, firmware: String(found.firmware) };
  }

  async measure(ids: readonly number[]): Promise<Map<number, Measured>> {
    const answers = await this.bus.readAll(ids, FEEDBACK.address, FEEDBACK.length);
    const measured = new Map<number, Measured>();
    for (const [id, { error, data }] of answers) {
      const { position, velocity_rad_s, current, voltage_v, temperature_c } = decodeFeedback(data);
      this.stood.set(id, position);
      if (!this.currents_a.has(id)) await this.identify(id);
      const count_a = this.currents_a.get(id);
      const effort = count_a === undefined ? { load: current / 1000 } : { current_a: current * count_a };
      const fault = statusError(error).alert ? await this.hardwareFault(id) : null;
      const position_rad = (position - COUNTS / 2) * COUNT_RAD;
      measured.set(id, { position_rad, velocity_rad_s, ...effort, voltage_v, temperature_c, fault });
    }
    return measured;
  }

  async release(id: number): Promise<boolean> {
    return (await this.bus.write(id, Register.torque, [0])) === undefined;
  }

  async cycle(ids: readonly number[]): Promise<ReadonlySet<number>> {
    const known = ids.filter((id) => this.stood.has(id));
    const goals = known.map((id) => le32(this.stood.get(id)!));
    if (known.length > 0) this.bus.tell(syncWrite(known, Register.goalPosition, 4, goals));
    const answers = await this.bus.readAll(ids, FEEDBACK.address, FEEDBACK.length);
    for (const [id, { data }] of answers) this.stood.set(id, decodeFeedback(data).position);
    return new Set(answers.keys());
  }

  schedule(drives: number): Schedule {
    return cycleOf(drives, false);
  }

  async setId(from: number, to: number): Promise<void> {
    // What it keeps without power it takes without torque alone.
    await this.set(from, Register.torque, [0]);
    await this.set(from, Register.id, [to]);
    if (!(await this.bus.ping(to)))
      throw new UserError(
        `${this.port}, id ${from}, register ${Register.id}: ${to} is not taken; nobody answers there`,
      );
  }

  async setLimits(id: number, range_rad: readonly [number, number]): Promise<void> {
    const [low, high] = range_rad.map((q) => Math.round(q / COUNT_RAD + COUNTS / 2));
    await this.set(id, Register.torque, [0]);
    await this.set(id, Register.minPosition, le32(low));
    await this.set(id, Register.maxPosition, le32(high));
  }

  private async hardwareFault(id: number): Promise<string> {
    const bits = (await this.bus.read(id, Register.hardwareError, 1))?.[0] ?? 0;
    return hardwareErrorNames(bits).join(', ') || 'a hardware error';
  }

  private async set(id: number, register: number, data: readonly number[]): Promise<void> {
    const refused = await this.bus.write(id, register, data);
    // A servo that takes another id may answer under it.
    if (refused === undefined || (register === Register.id && refused === 'no answer')) return;
    throw new UserError(
      `${this.port}, id ${id}, register ${register}: ${data.join(' ')} is refused (${refused}); check supply, cable and the servo's own limits`,
    );
  }
}
