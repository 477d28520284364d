/**
 * The layout of one transition, the same in memory and on disk: 32-bit little-endian words.
 *
 * | word | what |
 * |---|---|
 * | 0 | CRC-32 of all words that follow; set when the record goes to disk |
 * | 1, 2 | sequence number, low and high word: 1 for the first transition ever stored, 0 for an empty slot |
 * | 3 | flags |
 * | 4 | stream: the environment or robot that it comes from |
 * | 5 | episode, counted in its stream |
 * | 6 | step in its episode |
 * | 7 | reward, float32 |
 * | 8 … | observation, action, next observation, float32 |
 */
export const Word = {
  crc: 0,
  sequence: 1,
  flags: 3,
  stream: 4,
  episode: 5,
  step: 6,
  reward: 7,
  data: 8,
} as const;

export const Flag = {
  /** The task ended: no reward follows. */
  terminal: 1,
  /** A time-out: the episode was cut, and the value of `nextObservation` stands for the rest. */
  truncated: 2,
  /** Cut from outside (a person took over, the robot was stopped): for learning, as truncated. */
  interrupted: 4,
  firstOfEpisode: 8,
  /** Commanded by somebody who shows how. */
  demonstrated: 16,
} as const;

/** Any of these ends an episode. */
export const FLAGS_END = Flag.terminal | Flag.truncated | Flag.interrupted;

/** The sizes that replay, environment and learner must agree on. */
export interface ReplayContract {
  readonly observation: number;
  readonly action: number;
}

/** Where each part of a record lies, in words from its start. */
export class RecordLayout {
  readonly observation = Word.data;
  readonly action: number;
  readonly nextObservation: number;
  readonly words: number;

  constructor(readonly contract: ReplayContract) {
    this.action = this.observation + contract.observation;
    this.nextObservation = this.action + contract.action;
    this.words = this.nextObservation + contract.observation;
  }
}

/** The sequence number at `word`, up to 2⁵³. */
export function readSequence(words: Uint32Array, word: number): number {
  return words[word] + 4294967296 * words[word + 1];
}

export function writeSequence(words: Uint32Array, word: number, sequence: number): void {
  words[word] = sequence >>> 0;
  words[word + 1] = Math.floor(sequence / 4294967296);
}
