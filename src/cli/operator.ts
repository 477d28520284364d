export interface OperatorActions {
  readonly stop: () => void;
  readonly emergencyStop: () => void;
  /** Every other key. */
  readonly onKey?: (key: string) => void;
}

const CTRL_C = '\u0003';

/**
 * The operator's hands: space bar for an emergency stop; Ctrl-C, SIGTERM and SIGHUP for a stop that
 * knows gravity, and an emergency stop when given again.
 * @returns a function that lets go of keyboard and signals
 */
export function operator({ stop, emergencyStop, onKey: onOtherKey }: OperatorActions): () => void {
  let asked = false;
  const onSignal = () => {
    if (asked) emergencyStop();
    else stop();
    asked = true;
  };
  const onKey = (data: Buffer) => {
    for (const key of data.toString('utf8')) {
      if (key === ' ') emergencyStop();
      else if (key === CTRL_C) onSignal();
      else onOtherKey?.(key);
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const { stdin } = process;
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on('data', onKey);
  }
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
    if (!stdin.isTTY) return;
    stdin.off('data', onKey);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
