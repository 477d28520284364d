import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';
import { writeFileAtomic } from '../base/files.js';

const cursorSchema = z.strictObject({
  robot: z.string(),
  /** The robot's stream in the replay. */
  stream: z.int().nonnegative(),
  life: z.int().nonnegative(),
  /** Sequence number that is expected next in this life. */
  next: z.int().nonnegative(),
});
export type Cursor = z.output<typeof cursorSchema>;

const fileSchema = z.strictObject({
  schema: z.literal(1),
  learner: z.string(),
  added: z.int().nonnegative().describe('transitions in the replay when this was written'),
  spools: z.record(z.string(), cursorSchema),
});

/** Streams of robots in a replay that may hold those of the pretraining's environments as well. */
const FIRST_STREAM = 1 << 16;

/** What a learner has stored of each robot's spool, in a file that is always whole. */
export class CursorFile {
  private constructor(
    private readonly path: string,
    readonly learner: string,
    /** Transitions in the replay when the file was written last. */
    public added: number,
    private readonly spools: Map<string, Cursor>,
  ) {}

  /** @param added transitions in the replay, where there is no file yet. @throws UserError where it cannot be read */
  static open(path: string, added: number): CursorFile {
    if (!existsSync(path)) {
      const file = new CursorFile(path, `learner-${randomBytes(4).toString('hex')}`, added, new Map());
      file.write(added);
      return file;
    }
    let json: unknown;
    try {
      json = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new UserError(`${path}: not valid JSON: ${(error as Error).message}`);
    }
    const { learner, added: then, spools } = parseUserInput(fileSchema, json, path);
    return new CursorFile(path, learner, then, new Map(Object.entries(spools)));
  }

  get robots(): number {
    return new Set([...this.spools.values()].map((c) => c.robot)).size;
  }

  get(spool: string): Cursor | undefined {
    return this.spools.get(spool);
  }

  set(spool: string, cursor: Cursor): void {
    this.spools.set(spool, cursor);
  }

  /** The stream of a robot that had a spool here before, or one that nobody has. */
  newStream(robot: string): number {
    const all = [...this.spools.values()];
    const own = all.find((c) => c.robot === robot);
    return own?.stream ?? all.reduce((most, c) => Math.max(most, c.stream + 1), FIRST_STREAM);
  }

  write(added: number): void {
    this.added = added;
    const { learner } = this;
    const spools = Object.fromEntries(this.spools);
    writeFileAtomic(this.path, JSON.stringify({ schema: 1, learner, added, spools }));
  }
}
