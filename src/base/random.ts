/**
 * Seeded random numbers: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018), seeded through splitmix32. The whole state is four 32-bit words, so that a
 * checkpoint carries the stream on bit for bit.
 */
export class Random {
  private readonly s = new Uint32Array(4);

  constructor(seed: number) {
    let x = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.s[i] = (z ^ (z >>> 16)) >>> 0;
    }
  }

  /** An independent stream for a named purpose, so that adding a consumer does not shift the others. */
  static stream(seed: number, ...purpose: (number | string)[]): Random {
    let h = 0x811c9dc5 ^ seed;
    for (const part of purpose.join('/')) h = Math.imul(h ^ part.charCodeAt(0), 0x01000193);
    return new Random(h >>> 0);
  }

  /** Uniform 32-bit integer. */
  uint32(): number {
    const s = this.s;
    const r = Math.imul(s[1], 5);
    const result = Math.imul((r << 7) | (r >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / 4294967296);
  }

  /** Uniform integer in [0, n). */
  integer(n: number): number {
    return Math.floor((this.uint32() / 4294967296) * n);
  }

  /** Standard normal, by Box and Muller; one of the pair is thrown away so that the state stays four words. */
  normal(): number {
    const u = 1 - this.uint32() / 4294967296;
    const v = this.uint32() / 4294967296;
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  }

  fillNormal(out: Float32Array): void {
    // Both of each Box–Muller pair are used here: this fills the learner's noise every update.
    for (let i = 0; i < out.length; i += 2) {
      const r = Math.sqrt(-2 * Math.log(1 - this.uint32() / 4294967296));
      const a = (2 * Math.PI * this.uint32()) / 4294967296;
      out[i] = r * Math.cos(a);
      if (i + 1 < out.length) out[i + 1] = r * Math.sin(a);
    }
  }

  fillUniform(out: Float32Array, low = 0, high = 1): void {
    for (let i = 0; i < out.length; i++) out[i] = this.uniform(low, high);
  }

  /** The four state words, for a checkpoint. */
  get state(): number[] {
    return [...this.s];
  }

  set state(words: readonly number[]) {
    if (words.length !== 4) throw new RangeError(`random state has ${words.length} words, expected 4`);
    this.s.set(words);
  }
}
