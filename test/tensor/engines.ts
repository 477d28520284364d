import { type EngineName, engineNames, type FoundEngine, findEngine } from '../../src/tensor/index.js';

const found: readonly FoundEngine[] = await Promise.all(engineNames.map(findEngine));

/** Engines that run on this machine, the reference apart: what a test runs on. */
export const enginesHere: readonly EngineName[] = found.filter((e) => e.available).map((e) => e.name);

/** Those that do not, and why. */
export const enginesAbsent: readonly FoundEngine[] = found.filter((e) => !e.available);
