import { UserError } from '../../src/base/errors.js';
import { COUNT_RAD, COUNTS } from '../bus/encoder.js';
import { cycleOf, FeetechBus } from '../feetech/bus.js';
import { errorNames, syncRead, syncWrite, write } from '../feetech/codec.js';
import { decodeFeedback, FEEDBACK, Register } from '../feetech/registers.js';
import { type Identity, type Measured, OnLine, type Tool } from './tool.js';

const word = (value: number) => [value & 0xff, value >> 8];

export class FeetechTool extends OnLine<FeetechBus> implements Tool {
  readonly schedule = cycleOf;
  /** Where each servo stood last, as its register has it. */
  private readonly stood = new Map<number, number[]>();

  static async open(port: string, baud: number): Promise<FeetechTool> {
    return new FeetechTool(await FeetechBus.open(port, baud));
  }

  async identify(id: number): Promise<Identity | undefined> {
    const data = (await this.bus.ping(id)) ? await this.bus.read(id, Register.firmware, 5) : undefined;
    return data && { model: data[3] | (data[4] << 8), firmware: `${data[0]}.${data[1]}` };
  }

  async measure(ids: readonly number[]): Promise<Map<number, Measured>> {
    const question = syncRead(ids, FEEDBACK.address, FEEDBACK.length);
    const answers = await this.bus.askAll(question, ids, FEEDBACK.length);
    return new Map(
      [...answers].map(([id, { code, params }]) => {
        const { position, velocity, load, voltage_v, temperature_c, current_a } = decodeFeedback(params);
        this.stood.set(id, Array.from(params.subarray(0, 2)));
        const position_rad = (position - COUNTS / 2) * COUNT_RAD;
        const fault = errorNames(code).join(', ') || null;
        const rest = { load: load / 1000, current_a, voltage_v, temperature_c, fault };
        return [id, { position_rad, velocity_rad_s: velocity * COUNT_RAD, ...rest }] as const;
      }),
    );
  }

  release(id: number): Promise<boolean> {
    return this.bus.write(id, Register.torque, [0]);
  }

  async cycle(ids: readonly number[]): Promise<ReadonlySet<number>> {
    const known = ids.filter((id) => this.stood.has(id));
    const goals = known.map((id) => this.stood.get(id)!);
    if (known.length > 0) this.bus.tell(syncWrite(known, Register.goalPosition, 2, goals));
    return new Set((await this.measure(ids)).keys());
  }

  async setId(from: number, to: number): Promise<void> {
    await this.confirmed(from, Register.lock, [0]);
    // It may confirm under its new id, or not at all: what counts is who answers afterwards.
    await this.bus.askAll(write(from, Register.id, [to]), [from], 0);
    if (!(await this.bus.ping(to)))
      throw new UserError(
        `${this.port}, id ${from}, register ${Register.id}: ${to} is not taken; nobody answers there`,
      );
    await this.confirmed(to, Register.lock, [1]);
  }

  async setLimits(id: number, range_rad: readonly [number, number]): Promise<void> {
    const [low, high] = range_rad.map((q) => Math.round(q / COUNT_RAD + COUNTS / 2));
    if (low < 0 || high >= COUNTS || low >= high)
      throw new UserError(
        `${this.port}, id ${id}, registers ${Register.minAngle} and ${Register.maxAngle}: ${low}–${high} does not lie in one turn of the encoder, 0–${COUNTS - 1}; mount the horn nearer to the middle`,
      );
    await this.confirmed(id, Register.lock, [0]);
    await this.confirmed(id, Register.minAngle, word(low));
    await this.confirmed(id, Register.maxAngle, word(high));
    await this.confirmed(id, Register.lock, [1]);
    const kept = await this.bus.read(id, Register.minAngle, 4);
    if (!kept || ![...word(low), ...word(high)].every((byte, i) => kept[i] === byte))
      throw new UserError(
        `${this.port}, id ${id}, register ${Register.minAngle}: ${low}–${high} is not kept`,
      );
  }

  private async confirmed(id: number, register: number, data: readonly number[]): Promise<void> {
    if (!(await this.bus.write(id, register, data)))
      throw new UserError(
        `${this.port}, id ${id}, register ${register}: ${data.join(' ')} is not confirmed; check cable and supply`,
      );
  }
}
