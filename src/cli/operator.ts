export interface OperatorActions {
  readonly stop: () => void;
  readonly emergencyStop: () => void;
  /** Every other key. */
  readonly onKey?: (key: string) => void;
}

const CTRL_C = '\u0003';
const ASKED_TO_END = ['SIGTERM', 'SIGHUP'] as const;

/**
 * A Ctrl-C that a terminal or `timeout` gives to a whole group of processes, `ros2 launch` passes on to
 * the robot's once more: signals this close are one.
 */
const ONE_PRESS_MS = 500;

/**
 * The operator's hands: space bar for an emergency stop; Ctrl-C for a stop that knows gravity, and an
 * emergency stop when given again. SIGTERM, SIGHUP and a standard error that nobody reads any more
 * ask for that stop too, and let one that runs finish: they come from whoever keeps processes.
 * @returns a function that lets go of keyboard and signals
 */
export function operator({ stop, emergencyStop, onKey: onOtherKey }: OperatorActions): () => void {
  let asked_ms: number | undefined;
  const onStop = () => {
    if (asked_ms === undefined) stop();
    asked_ms ??= performance.now();
  };
  const onCtrlC = () => {
    if (asked_ms === undefined) onStop();
    else emergencyStop();
  };
  const onInterrupt = () => {
    if (asked_ms === undefined || performance.now() - asked_ms > ONE_PRESS_MS) onCtrlC();
  };
  const onKey = (data: Buffer) => {
    for (const key of data.toString('utf8')) {
      if (key === ' ') emergencyStop();
      else if (key === CTRL_C) onCtrlC();
      else onOtherKey?.(key);
    }
  };
  process.on('SIGINT', onInterrupt);
  for (const signal of ASKED_TO_END) process.on(signal, onStop);
  process.stderr.on('error', onStop);
  const { stdin } = process;
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on('data', onKey);
  }
  return () => {
    process.off('SIGINT', onInterrupt);
    for (const signal of ASKED_TO_END) process.off(signal, onStop);
    process.stderr.off('error', onStop);
    if (!stdin.isTTY) return;
    stdin.off('data', onKey);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
