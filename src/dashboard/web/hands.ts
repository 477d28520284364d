import type { Hand } from '../../teleop/hand.js';

/** Keys by where they are on the keyboard, and what they add to the hand. */
const KEYS: Readonly<Record<string, (hand: MutableHand) => void>> = {
  KeyW: (h) => add(h, 0, 1),
  KeyS: (h) => add(h, 0, -1),
  KeyA: (h) => add(h, 1, 1),
  KeyD: (h) => add(h, 1, -1),
  KeyR: (h) => add(h, 2, 1),
  KeyF: (h) => add(h, 2, -1),
  KeyI: (h) => {
    h.pitch -= 1;
  },
  KeyK: (h) => {
    h.pitch += 1;
  },
  KeyJ: (h) => {
    h.roll -= 1;
  },
  KeyL: (h) => {
    h.roll += 1;
  },
  KeyO: (h) => {
    h.gripper += 1;
  },
  KeyP: (h) => {
    h.gripper -= 1;
  },
};
/** Of a gamepad's "standard" layout. */
const Button = { deadman: 4, take: 9, close: 6, open: 7, up: 12, down: 13 } as const;
const DEAD_ZONE = 0.12;
/** Full speed is for large ways; a key has no half way, so it asks for half. */
const KEY_SHARE = 0.5;

interface MutableHand {
  linear: [number, number, number];
  pitch: number;
  roll: number;
  gripper: number;
}

export function still(): MutableHand {
  return { linear: [0, 0, 0], pitch: 0, roll: 0, gripper: 0 };
}

function add(hand: MutableHand, axis: number, by: number): void {
  hand.linear[axis] += by;
}

const down = new Set<string>();
addEventListener('keydown', (event) => {
  if (event.target instanceof HTMLSelectElement || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.code in KEYS) down.add(event.code);
});
addEventListener('keyup', (event) => down.delete(event.code));
// Keys that come up while the page has no focus are not heard: the hand is off.
addEventListener('blur', () => down.clear());

/** The hand on the keyboard; a key that is held is the switch. */
export function keyboardHand(): Hand | undefined {
  if (down.size === 0) return undefined;
  const hand = still();
  for (const code of down) KEYS[code](hand);
  hand.linear = hand.linear.map((x) => KEY_SHARE * clamp(x)) as MutableHand['linear'];
  return {
    ...hand,
    pitch: KEY_SHARE * clamp(hand.pitch),
    roll: KEY_SHARE * clamp(hand.roll),
    gripper: clamp(hand.gripper),
  };
}

/** The hand on a gamepad, while its left shoulder button is held. */
export function gamepadHand(): Hand | undefined {
  const pad = navigator.getGamepads().find((p) => p?.connected);
  if (!pad?.buttons[Button.deadman]?.pressed) return undefined;
  const axis = (i: number) => {
    const x = pad.axes[i] ?? 0;
    return Math.abs(x) < DEAD_ZONE ? 0 : clamp((x - Math.sign(x) * DEAD_ZONE) / (1 - DEAD_ZONE));
  };
  const pressed = (i: number) => pad.buttons[i]?.value ?? 0;
  return {
    linear: [-axis(1), -axis(0), -axis(3)],
    roll: axis(2),
    pitch: pressed(Button.down) - pressed(Button.up),
    gripper: clamp(pressed(Button.open) - pressed(Button.close)),
  };
}

export function gamepadName(): string | undefined {
  return navigator
    .getGamepads()
    .find((p) => p?.connected)
    ?.id.split('(')[0]
    .trim();
}

let takePressed = false;
/** Whether the gamepad's start button went down since the last call. */
export function gamepadAsks(): boolean {
  const pad = navigator.getGamepads().find((p) => p?.connected);
  const pressed = pad?.buttons[Button.take]?.pressed ?? false;
  const asks = pressed && !takePressed;
  takePressed = pressed;
  return asks;
}

function clamp(x: number): number {
  return Math.min(1, Math.max(-1, x));
}
