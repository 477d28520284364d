import type { Schedule } from '../schedule.js';

/** Who a drive says it is. */
export interface Identity {
  readonly model: number;
  readonly firmware: string;
}

/** What a drive measures now, at its own shaft; what a family does not measure is left out. */
export interface Measured {
  readonly position_rad: number;
  readonly velocity_rad_s: number;
  readonly torque_nm?: number;
  readonly current_a?: number;
  /** Share of the largest torque, where that is all a drive says. */
  readonly load?: number;
  readonly voltage_v?: number;
  readonly temperature_c?: number;
  /** Why it gave up, or is about to; null where nothing is wrong. */
  readonly fault: string | null;
}

/**
 * A line of drives for bring-up: before there is a `robot.yaml`, or to make one. Nothing here switches
 * torque on or moves anything.
 */
export interface Tool {
  readonly port: string;
  /** Of the port; an adapter's own wire may be another. */
  readonly baud: number;
  /** Longest that an answer may take, ms. */
  patience_ms: number;
  /** @returns undefined where nobody answers */
  identify(id: number): Promise<Identity | undefined>;
  /** @returns those that answered */
  measure(ids: readonly number[]): Promise<Map<number, Measured>>;
  /** Torque off. @returns whether it confirms */
  release(id: number): Promise<boolean>;
  /** A whole cycle as a robot's driver makes it, with torque as it is. @returns those that answered */
  cycle(ids: readonly number[]): Promise<ReadonlySet<number>>;
  schedule(drives: number): Schedule;
  /**
   * Gives a drive another id, which it keeps without power; nobody else has the new one.
   * @throws UserError naming port, id and register, or that the family cannot
   */
  setId(from: number, to: number): Promise<void>;
  /**
   * Writes the drive's own limits of position, at its shaft, which it keeps without power.
   * @throws UserError naming port, id and register, or that the family has none
   */
  setLimits(id: number, range_rad: readonly [number, number]): Promise<void>;
  close(): Promise<void>;
}

interface Line {
  patience_ms: number;
  readonly wire: { readonly path: string; readonly baud: number; close(): Promise<void> };
}

/** What the tools of all families do with the line that they have open. */
export abstract class OnLine<Bus extends Line> {
  constructor(protected readonly bus: Bus) {}

  get port(): string {
    return this.bus.wire.path;
  }

  get baud(): number {
    return this.bus.wire.baud;
  }

  get patience_ms(): number {
    return this.bus.patience_ms;
  }

  set patience_ms(patience_ms: number) {
    this.bus.patience_ms = patience_ms;
  }

  close(): Promise<void> {
    return this.bus.wire.close();
  }
}
