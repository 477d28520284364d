import type { WebSocket } from 'ws';
import { z } from 'zod';
import {
  type Answer,
  type EpisodeNote,
  type EventNote,
  type Hello,
  type LearnerNote,
  type Note,
  type PageMessage,
  pageMessageSchema,
} from './protocol.js';

/** What a page that comes later is told of the past. */
const KEPT = { event: 200, episode: 1000, learner: 1000 } as const;
/** A page whose connection holds back more than this is spared the next frames: what it shows is late enough. */
const MOST_WAITING_BYTES = 64 * 1024;

export interface PageListener {
  onCome(page: number): void;
  /** A page's words, checked. */
  onMessage(page: number, message: PageMessage): void;
  /** It is no longer there: whatever it held, it holds no more. */
  onGone(page: number): void;
}

/** All open pages: tells each the same, and hands on what they say once it is known to be sense. */
export class PageHub {
  private readonly pages = new Map<number, WebSocket>();
  private readonly past = {
    event: [] as EventNote[],
    episode: [] as EpisodeNote[],
    learner: [] as LearnerNote[],
  };
  /** Of what replaces what was said before. */
  private readonly newest = new Map<Note['kind'], Note>();
  private nextPage = 1;

  constructor(
    private readonly hello: Hello,
    private readonly listener: PageListener,
  ) {}

  get watched(): boolean {
    return this.pages.size > 0;
  }

  accept(socket: WebSocket): void {
    const page = this.nextPage++;
    this.pages.set(page, socket);
    socket.on('close', () => {
      this.pages.delete(page);
      this.listener.onGone(page);
    });
    socket.on('message', (data, binary) => this.take(page, binary ? undefined : data.toString()));
    const { event, episode, learner } = this.past;
    for (const note of [this.hello, ...this.newest.values(), ...event, ...episode, ...learner])
      socket.send(JSON.stringify(note));
    this.listener.onCome(page);
  }

  /** Tells every page, and those that come later where that matters to them. */
  tell(note: Note): void {
    if (note.kind === 'event' || note.kind === 'episode' || note.kind === 'learner') {
      const kept: Note[] = this.past[note.kind];
      kept.push(note);
      if (kept.length > KEPT[note.kind]) kept.shift();
    } else {
      this.newest.set(note.kind, note);
    }
    const text = JSON.stringify(note);
    for (const socket of this.pages.values()) socket.send(text);
  }

  /** @param flat of a `Frame` */
  show(flat: Float64Array): void {
    for (const socket of this.pages.values())
      if (socket.bufferedAmount < MOST_WAITING_BYTES) socket.send(flat);
  }

  answer(page: number, answer: Answer): void {
    this.pages.get(page)?.send(JSON.stringify(answer));
  }

  private take(page: number, text: string | undefined): void {
    const parsed = parse(text);
    if ('message' in parsed) this.listener.onMessage(page, parsed.message);
    else this.answer(page, { kind: 'answer', id: null, ok: false, reasons: parsed.reasons });
  }
}

function parse(
  text: string | undefined,
): { readonly message: PageMessage } | { readonly reasons: readonly string[] } {
  if (text === undefined) return { reasons: ['a page says nothing in binary'] };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { reasons: ['not JSON'] };
  }
  const result = pageMessageSchema.safeParse(json);
  return result.success ? { message: result.data } : { reasons: [z.prettifyError(result.error)] };
}
