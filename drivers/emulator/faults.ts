import { Random } from '../../src/base/random.js';

/** What goes wrong on an emulated wire; may be changed while it runs. */
export class WireFaults {
  /** Probability for each answer: one bit flipped, cut short, joined with the next. */
  flip = 0;
  truncate = 0;
  merge = 0;
  /** Milliseconds that every answer is late. */
  delay_ms = 0;
  private readonly random: Random;
  private kept: Uint8Array | undefined;

  constructor(
    seed: number,
    bus: string,
    private readonly send: (bytes: Uint8Array) => void,
  ) {
    this.random = Random.stream(seed, 'wire', bus);
  }

  apply(answers: readonly Uint8Array[]): void {
    if (answers.length === 0) return;
    const out = Buffer.concat(answers.map((answer) => this.damage(answer)));
    if (this.delay_ms > 0) setTimeout(() => this.send(out), this.delay_ms);
    else this.send(out);
  }

  private damage(answer: Uint8Array): Uint8Array {
    const { random } = this;
    let bytes = this.kept ? Buffer.concat([this.kept, answer]) : Uint8Array.from(answer);
    this.kept = undefined;
    if (random.uniform() < this.flip) bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    if (random.uniform() < this.truncate) bytes = bytes.slice(0, random.integer(bytes.length));
    // Two frames that come as one: the first runs into the second without its last byte.
    if (random.uniform() < this.merge) {
      this.kept = bytes.slice(0, -1);
      return new Uint8Array();
    }
    return bytes;
  }
}
