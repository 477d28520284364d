import { type Hand, stillHand } from './hand.js';

/** A terminal tells no key's release: a key counts as held for this long after it came, and repeats. */
const KEY_LASTS_MS = 120;
/** A key knows no half way: it asks for half. */
const SHARE = 0.5;

/** The keys of the dashboard's page, on a terminal. */
const KEYS: Readonly<Record<string, Partial<Hand>>> = {
  w: { linear: [SHARE, 0, 0] },
  s: { linear: [-SHARE, 0, 0] },
  a: { linear: [0, SHARE, 0] },
  d: { linear: [0, -SHARE, 0] },
  r: { linear: [0, 0, SHARE] },
  f: { linear: [0, 0, -SHARE] },
  i: { pitch: -SHARE },
  k: { pitch: SHARE },
  j: { roll: -SHARE },
  l: { roll: SHARE },
  o: { gripper: 1 },
  p: { gripper: -1 },
};

/** Keys of a terminal as a hand: the newest one that is not too old. */
export class KeyboardHand {
  private held: { readonly hand: Hand; readonly since_ms: number } | undefined;

  /** @returns whether the key moves the hand */
  press(key: string, now_ms: number): boolean {
    const moved = KEYS[key];
    if (!moved) return false;
    this.held = { hand: { ...stillHand, ...moved }, since_ms: now_ms };
    return true;
  }

  /** Keeps the hand on the switch without moving it, for a pose. */
  hold(now_ms: number): void {
    this.held = { hand: stillHand, since_ms: now_ms };
  }

  hand(now_ms: number): Hand | undefined {
    if (!this.held || now_ms - this.held.since_ms > KEY_LASTS_MS) return undefined;
    return this.held.hand;
  }
}
