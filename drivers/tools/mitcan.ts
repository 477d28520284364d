import { UserError } from '../../src/base/errors.js';
import { cycleOf, MitBus, toDrive } from '../mitcan/bus.js';
import { encodeSpecial, faultName, type MitRange } from '../mitcan/codec.js';
import { Register, saveRegisters } from '../mitcan/registers.js';
import { type Identity, type Measured, OnLine, type Tool } from './tool.js';

/** What the packed gains span; measuring does not need them. */
const GAINS = { kp_nm_rad: 500, kd_nm_s_rad: 5 };

/** These drives answer to commands alone: what asks them here is the command to let go. */
export class MitTool extends OnLine<MitBus> implements Tool {
  readonly schedule = cycleOf;
  private readonly ranges = new Map<number, MitRange>();

  /** A port without a slash is an interface of SocketCAN. */
  static async open(port: string, baud: number): Promise<MitTool> {
    return new MitTool(await MitBus.open(port.includes('/') ? 'slcan' : 'socketcan', port, baud));
  }

  async identify(id: number): Promise<Identity | undefined> {
    const firmware = await this.bus.read(id, Register.firmware, 1);
    if (firmware === undefined) return undefined;
    return { model: (await this.bus.read(id, Register.hardware)) ?? 0, firmware: firmware.toString(16) };
  }

  async measure(ids: readonly number[]): Promise<Map<number, Measured>> {
    const measured = new Map<number, Measured>();
    for (const id of ids) {
      const range = await this.rangeOf(id);
      const answer = range && (await this.bus.special('disable', id, range));
      if (!answer) continue;
      const { position_rad, velocity_rad_s, torque_nm, driver_c, rotor_c, state } = answer;
      const temperature_c = Math.max(driver_c, rotor_c);
      const fault = faultName(state) ?? null;
      measured.set(id, { position_rad, velocity_rad_s, torque_nm, temperature_c, fault });
    }
    return measured;
  }

  async release(id: number): Promise<boolean> {
    const range = await this.rangeOf(id);
    return range !== undefined && (await this.bus.special('disable', id, range)) !== undefined;
  }

  async cycle(ids: readonly number[]): Promise<ReadonlySet<number>> {
    const range = await this.rangeOf(ids[0]);
    if (!range) return new Set();
    const frames = ids.map((id) => toDrive(id, encodeSpecial('disable')));
    return new Set((await this.bus.feedback(frames, ids, range)).keys());
  }

  async setId(from: number, to: number): Promise<void> {
    await this.release(from);
    // Whether it answers under its old id or its new one is not known: what counts is who answers afterwards.
    await this.bus.write(from, Register.id, to);
    if ((await this.bus.read(to, Register.id)) !== to)
      throw new UserError(
        `${this.port}, id ${from}, register ${Register.id}: ${to} is not taken; nobody answers there`,
      );
    this.bus.tell([saveRegisters(to)]);
    this.ranges.delete(from);
  }

  async setLimits(id: number): Promise<void> {
    throw new UserError(`${this.port}, id ${id}: drives of this family keep no limits of position`);
  }

  /** As set in the drive; asked for once. */
  private async rangeOf(id: number): Promise<MitRange | undefined> {
    const known = this.ranges.get(id);
    if (known) return known;
    const position_rad = await this.bus.read(id, Register.positionRange, 1);
    if (position_rad === undefined) return undefined;
    const velocity_rad_s = (await this.bus.read(id, Register.velocityRange)) ?? Number.NaN;
    const torque_nm = (await this.bus.read(id, Register.torqueRange)) ?? Number.NaN;
    const range = { position_rad, velocity_rad_s, torque_nm, ...GAINS };
    this.ranges.set(id, range);
    return range;
  }
}
