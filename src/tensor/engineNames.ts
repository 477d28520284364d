/** Engines to learn with. `compile.ts` has what is behind each; here are the names alone, for the command line. */
export const engineNames = ['native', 'wasm', 'onnx', 'cuda', 'tfjs'] as const;

/** An engine: one to learn with, or the reference that checks them. */
export type EngineName = (typeof engineNames)[number] | 'reference';

/** An engine by name, or the one that is thought best. */
export type EngineChoice = EngineName | 'auto';
