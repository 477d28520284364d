import { DREAM_FILES } from './worldModel.js';

/** Files of a run folder. */
export const FILES = {
  identity: 'run.json',
  checkpoint: 'checkpoint.bin',
  replay: 'replay.bin',
  metrics: 'metrics.jsonl',
  curve: 'curve.svg',
  dreamPicture: DREAM_FILES.picture,
  dream: DREAM_FILES.traces,
  policy: 'policy',
} as const;
