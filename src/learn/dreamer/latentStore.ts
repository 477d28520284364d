import type { Latent } from './latent.js';

/** The deterministic state lies within ±1, since it is always between its past and a tanh. */
const H_SCALE = 32767;
/** Slots whose memory is taken at once. */
const CHUNK = 1024;

interface Chunk {
  readonly h: Int16Array;
  /** The class of each categorical variable, or the values of Gaussian ones. */
  readonly z: Uint8Array | Float32Array;
  /** Sequence number of the transition that a state belongs to; 0 where there is none. */
  readonly of: Float64Array;
}

/**
 * The model's states beside a replay: for each transition the state at its observation, as it was when a batch
 * last passed there. A batch that begins in the middle of an episode goes on from it (DreamerV3, "replay buffer").
 * Kept in memory alone, in a fifteenth of their size as float32; a resumed run walks along its replay first.
 */
export class LatentStore {
  private readonly chunks = new Map<number, Chunk>();
  private readonly zLength: number;

  /** @param deter length of h */
  constructor(
    private readonly deter: number,
    private readonly latent: Pick<Latent, 'size' | 'variables' | 'classes'>,
  ) {
    this.zLength = latent.variables;
  }

  /**
   * Keeps row `row` of h [rows, deter] and z [rows, latent.size].
   * @param sequence number of the transition that lies in the slot now
   */
  keep(slot: number, sequence: number, h: Float32Array, z: Float32Array, row: number): void {
    const chunk = this.chunk(slot);
    const i = slot % CHUNK;
    chunk.of[i] = sequence;
    for (let k = 0; k < this.deter; k++) chunk.h[i * this.deter + k] = H_SCALE * h[row * this.deter + k];
    const { size, classes } = this.latent;
    for (let v = 0; v < this.zLength; v++) {
      const from = row * size + v * classes;
      chunk.z[i * this.zLength + v] = classes === 1 ? z[from] : drawnClass(z, from, classes);
    }
  }

  /** Writes what was kept to row `row`. @returns false, and zeros, where nothing was kept of this transition */
  recall(slot: number, sequence: number, h: Float32Array, z: Float32Array, row: number): boolean {
    const { size, classes } = this.latent;
    const chunk = this.chunks.get(Math.floor(slot / CHUNK));
    const i = slot % CHUNK;
    h.fill(0, row * this.deter, (row + 1) * this.deter);
    z.fill(0, row * size, (row + 1) * size);
    if (slot < 0 || chunk?.of[i] !== sequence) return false;
    for (let k = 0; k < this.deter; k++) h[row * this.deter + k] = chunk.h[i * this.deter + k] / H_SCALE;
    for (let v = 0; v < this.zLength; v++) {
      const kept = chunk.z[i * this.zLength + v];
      const at = row * size + v * classes;
      if (classes === 1) z[at] = kept;
      else z[at + kept] = 1;
    }
    return true;
  }

  private chunk(slot: number): Chunk {
    const number = Math.floor(slot / CHUNK);
    let chunk = this.chunks.get(number);
    if (!chunk) {
      const numbers = CHUNK * this.zLength;
      chunk = {
        h: new Int16Array(CHUNK * this.deter),
        z: this.latent.classes === 1 ? new Float32Array(numbers) : new Uint8Array(numbers),
        of: new Float64Array(CHUNK),
      };
      this.chunks.set(number, chunk);
    }
    return chunk;
  }
}

function drawnClass(z: Float32Array, from: number, classes: number): number {
  for (let k = 0; k < classes; k++) if (z[from + k] > 0.5) return k;
  return 0;
}
