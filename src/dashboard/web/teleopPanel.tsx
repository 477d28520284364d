import { useEffect, useRef, useState } from 'preact/hooks';
import type { Hand } from '../../teleop/hand.js';
import { ask, hello, send, status } from './connection.js';
import { gamepadAsks, gamepadHand, gamepadName, keyboardHand, still } from './hands.js';
import { Stick } from './stick.js';

/** The server counts a hand as gone after 150 ms. */
const SEND_MS = 33;

/** Taking the robot over, leading it, and giving it back. */
export function TeleopPanel() {
  const { teleop } = hello.value!;
  const authority = status.value?.authority;
  const mine = authority === 'person';
  const held = useRef<{ left?: readonly [number, number]; right?: readonly [number, number]; pose?: true }>(
    {},
  );
  const [pad, setPad] = useState<string>();
  const toggle = () => ask({ kind: mine ? 'release' : 'take_over' });
  const newest = useRef(toggle);
  newest.current = toggle;

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.code === 'KeyT' && !event.repeat && !event.ctrlKey && !event.metaKey) void newest.current();
    };
    addEventListener('keydown', onKey);
    const timer = setInterval(() => {
      setPad(gamepadName());
      if (gamepadAsks()) void newest.current();
    }, 100);
    return () => {
      removeEventListener('keydown', onKey);
      clearInterval(timer);
    };
  }, []);

  useEffect(() => {
    if (!mine) return;
    const timer = setInterval(() => {
      const hand = touched(held.current) ?? gamepadHand() ?? keyboardHand();
      if (hand) send({ kind: 'hand', hand });
    }, SEND_MS);
    return () => clearInterval(timer);
  }, [mine]);

  const hold = (pose: string) => ({
    onPointerDown: async () => {
      held.current.pose = true;
      await ask({ kind: 'pose', pose });
    },
    onPointerUp: () => {
      held.current.pose = undefined;
    },
    onPointerLeave: () => {
      held.current.pose = undefined;
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || event.repeat) return;
      held.current.pose = true;
      void ask({ kind: 'pose', pose });
    },
    onKeyUp: () => {
      held.current.pose = undefined;
    },
    onBlur: () => {
      held.current.pose = undefined;
    },
  });

  return (
    <section class={`card ${mine ? 'mine' : ''}`}>
      <h2>
        Hands on <small>{mine ? 'reduced speed' : 'the policy has it'}</small>
      </h2>
      <div class="row">
        <button
          type="button"
          class={mine ? 'accent' : ''}
          disabled={authority === 'stop' || authority === undefined}
          onClick={toggle}
          aria-keyshortcuts="T"
        >
          {mine ? 'Give back' : 'Take over'} <kbd>T</kbd>
        </button>
        {mine &&
          teleop.poses.map((pose) => (
            <button type="button" key={pose} {...hold(pose)}>
              {pose[0].toUpperCase() + pose.slice(1)}
            </button>
          ))}
      </div>
      {mine && teleop.tool && (
        <div class="sticks">
          <Stick label="forward, sideways" onMove={(at) => (held.current.left = at)} />
          <Stick label="up, roll" onMove={(at) => (held.current.right = at)} />
        </div>
      )}
      {mine && (
        <p class="quiet">
          {teleop.poses.length > 0 && 'A pose is reached while its button is held. '}
          {teleop.tool &&
            'Keys: W A S D, R F up and down, I K J L wrist, O P gripper; the robot moves while one is held. '}
          {teleop.tool &&
            (pad
              ? `${pad}: hold the left shoulder button.`
              : 'A gamepad is found when a button of it is pressed.')}
          {!teleop.tool && 'Give back, and the policy walks on from where it stands.'}
        </p>
      )}
    </section>
  );
}

function touched(held: {
  readonly left?: readonly [number, number];
  readonly right?: readonly [number, number];
  readonly pose?: true;
}): Hand | undefined {
  const { left, right, pose } = held;
  if (!left && !right && !pose) return undefined;
  const hand = still();
  if (left) hand.linear = [left[1], -left[0], 0];
  if (right) {
    hand.linear[2] = right[1];
    hand.roll = right[0];
  }
  return hand;
}
