import { useEffect, useRef, useState } from 'preact/hooks';
import type { Scene } from '../../robot/scene.js';
import { hello, onFrame, status } from './connection.js';
import type { RobotView } from './robotView.js';

const darkly = matchMedia('(prefers-color-scheme: dark)');
const calmly = matchMedia('(prefers-reduced-motion: reduce)');

/** The robot as it moves. three.js comes when the rest of the page is there already. */
export function RobotPanel() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [fault, setFault] = useState<string>();
  const [fps, setFps] = useState(0);

  useEffect(() => {
    let view: RobotView | undefined;
    let gone = false;
    const cleanUps: (() => void)[] = [];
    const begin = async () => {
      const [{ RobotView }, answer] = await Promise.all([
        import('./robotView.js'),
        fetch(new URL('scene.json', document.baseURI)),
      ]);
      if (!answer.ok) throw new Error(await answer.text());
      const scene: Scene = await answer.json();
      if (gone || !canvas.current) return;
      const robot = new RobotView(canvas.current, scene, hello.value?.base === 'floating');
      view = robot;
      const paint = () => {
        const style = getComputedStyle(document.documentElement);
        robot.paint(style.getPropertyValue('--grid').trim(), style.getPropertyValue('--card').trim());
      };
      paint();
      darkly.addEventListener('change', paint);
      const size = new ResizeObserver(([entry]) => {
        const { width, height } = entry.contentRect;
        if (width > 0 && height > 0) robot.resize(width, height);
      });
      size.observe(canvas.current.parentElement!);
      const sight = new IntersectionObserver(([entry]) => robot.watch(entry.isIntersecting));
      sight.observe(canvas.current);
      const off = onFrame((frame) => robot.show(frame));
      const ticker = setInterval(() => setFps(Math.round(robot.fps)), 1000);
      cleanUps.push(
        off,
        () => size.disconnect(),
        () => sight.disconnect(),
        () => clearInterval(ticker),
        () => darkly.removeEventListener('change', paint),
      );
    };
    begin().catch((error: Error) => setFault(error.message));
    return () => {
      gone = true;
      for (const cleanUp of cleanUps) cleanUp();
      view?.dispose();
    };
  }, []);

  return (
    <section class="robot" aria-label="Robot">
      <div class="stage">
        <canvas ref={canvas} role="img" aria-label="The robot as it moves" data-testid="robot" />
      </div>
      {fault && <p class="fault">No picture: {fault}</p>}
      <p class="caption">
        <Motion />
        {!calmly.matches && <span data-testid="fps">{fps} fps</span>}
      </p>
    </section>
  );
}

/** Speed over ground, renewed twice a second. */
function Motion() {
  const [speed, setSpeed] = useState(0);
  useEffect(() => {
    let shown_ms = 0;
    let smooth = 0;
    return onFrame(({ velocity_m_s: v }) => {
      smooth += 0.05 * (Math.hypot(v[0], v[1]) - smooth);
      const now_ms = performance.now();
      if (now_ms - shown_ms < 500) return;
      shown_ms = now_ms;
      setSpeed(smooth);
    });
  }, []);
  const s = status.value;
  return (
    <span>
      {hello.value?.base === 'floating' && `${speed.toFixed(2)} m/s · `}
      {hello.value?.training && 'what is learned so far, in simulation'}
      {s && `episode ${s.episodes}`}
      {s && hello.value?.base === 'floating' && ` · ${s.falls} falls`}
    </span>
  );
}
