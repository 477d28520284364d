import { batch, signal } from '@preact/signals';
import { Frame, frameSizes } from '../frame.js';
import type {
  Answer,
  EpisodeNote,
  EventNote,
  Hello,
  LearnerNote,
  PageMessage,
  PoliciesNote,
  Request,
  ServerMessage,
  Status,
  WorldModelNote,
} from '../protocol.js';

/** Everything that the page knows, as the server tells it. */
export const hello = signal<Hello>();
export const status = signal<Status>();
export const policies = signal<PoliciesNote['policies']>([]);
export const events = signal<readonly EventNote[]>([]);
export const episodes = signal<readonly EpisodeNote[]>([]);
export const learner = signal<readonly LearnerNote[]>([]);
/** Of a learner that has a model of the world. */
export const worldModel = signal<WorldModelNote>();
export const connected = signal(false);
/** The last thing that was refused, until the next request. */
export const refusal = signal<string>();

const KEPT = { events: 200, episodes: 1000, learner: 1000 };
const PATH = 'live';
const RETRY_MS = 500;
/** A connection on which nothing came for this long is as good as none. */
const SILENCE_MS = 3000;

let socket: WebSocket | undefined;
let frame: Frame | undefined;
let heardAt_ms = 0;
let nextId = 1;
const waiting = new Map<number, (answer: Answer) => void>();
const listeners = new Set<(frame: Frame) => void>();

/** Called with every frame. The frame is the same object each time. @returns what ends it */
export function onFrame(listener: (frame: Frame) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function connect(): void {
  const url = new URL(PATH, document.baseURI);
  url.protocol = url.protocol.replace('http', 'ws');
  const mine = new WebSocket(url);
  socket = mine;
  mine.binaryType = 'arraybuffer';
  mine.onmessage = ({ data }) => {
    heardAt_ms = performance.now();
    if (typeof data === 'string') take(JSON.parse(data));
    else show(data);
  };
  mine.onclose = () => {
    if (socket !== mine) return;
    connected.value = false;
    for (const done of waiting.values())
      done({ kind: 'answer', id: null, ok: false, reasons: ['no connection'] });
    waiting.clear();
    setTimeout(connect, RETRY_MS);
  };
}

let checkedAt_ms = performance.now();
setInterval(() => {
  const now_ms = performance.now();
  // A page that was asleep itself has heard nothing, whatever was said.
  if (now_ms - checkedAt_ms > SILENCE_MS) heardAt_ms = now_ms;
  checkedAt_ms = now_ms;
  if (connected.value && now_ms - heardAt_ms > SILENCE_MS) socket?.close();
}, SILENCE_MS / 3);

/** Sends without waiting. @returns false where there is no connection */
export function send(message: PageMessage): boolean {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** Asks the server for something; what it refuses shows on the page. @returns whether it was done */
export async function ask(request: WithoutId<Request>): Promise<boolean> {
  refusal.value = undefined;
  const id = nextId++;
  const answer = await new Promise<Answer>((resolve) => {
    waiting.set(id, resolve);
    if (!send({ ...request, id } as Request)) {
      waiting.delete(id);
      resolve({ kind: 'answer', id, ok: false, reasons: ['no connection to the robot'] });
    }
  });
  if (!answer.ok) refusal.value = `${request.kind.replace('_', ' ')}: ${answer.reasons.join('; ')}`;
  return answer.ok;
}

/** Whatever else is on its way, this goes first. */
export function emergencyStop(): void {
  void ask({ kind: 'emergency_stop' });
}

function take(message: ServerMessage): void {
  switch (message.kind) {
    case 'hello':
      batch(() => {
        connected.value = true;
        events.value = [];
        episodes.value = [];
        learner.value = [];
        worldModel.value = undefined;
        // A session of its own has a state of its own, which comes next.
        if (hello.value?.session !== message.session) status.value = undefined;
        hello.value = message;
      });
      frame = new Frame(frameSizes(message));
      break;
    case 'status':
      status.value = message;
      break;
    case 'policies':
      policies.value = message.policies;
      break;
    case 'event':
      events.value = [...events.value, message].slice(-KEPT.events);
      break;
    case 'episode':
      episodes.value = [...episodes.value, message].slice(-KEPT.episodes);
      break;
    case 'learner':
      learner.value = [...learner.value, message].slice(-KEPT.learner);
      break;
    case 'world_model':
      worldModel.value = message;
      break;
    case 'answer':
      if (message.id !== null) waiting.get(message.id)?.(message);
      waiting.delete(message.id ?? -1);
      break;
  }
}

function show(data: ArrayBuffer): void {
  if (!frame || data.byteLength !== frame.flat.byteLength) return;
  frame.flat.set(new Float64Array(data));
  for (const listener of listeners) listener(frame);
}
