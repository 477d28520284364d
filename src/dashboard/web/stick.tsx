import { useRef, useState } from 'preact/hooks';

export interface StickProps {
  readonly label: string;
  /** Both in [−1, 1], y upwards; undefined once the finger is off. */
  readonly onMove: (at: readonly [number, number] | undefined) => void;
}

/** A stick for a finger: to touch it is to hold the deadman switch. */
export function Stick({ label, onMove }: StickProps) {
  const pad = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<readonly [number, number]>();
  const tell = (to: readonly [number, number] | undefined) => {
    setAt(to);
    onMove(to);
  };
  const follow = (event: PointerEvent) => {
    const { left, top, width, height } = pad.current!.getBoundingClientRect();
    const x = (2 * (event.clientX - left)) / width - 1;
    const y = 1 - (2 * (event.clientY - top)) / height;
    const far = Math.max(1, Math.hypot(x, y));
    tell([x / far, y / far]);
  };
  return (
    <div class="stick">
      <div
        ref={pad}
        class="pad"
        role="application"
        aria-label={`${label}: hold and drag`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
        }}
        onPointerMove={(event) => at && follow(event)}
        onPointerUp={() => tell(undefined)}
        onPointerCancel={() => tell(undefined)}
        onLostPointerCapture={() => tell(undefined)}
      >
        <span
          class="knob"
          style={{ transform: `translate(${36 * (at?.[0] ?? 0)}px, ${-36 * (at?.[1] ?? 0)}px)` }}
        />
      </div>
      <small>{label}</small>
    </div>
  );
}
