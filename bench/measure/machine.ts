import { cpus } from 'node:os';

/** Processor, virtual cores and Node version: what a figure is worth depends on them. */
export function machine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? process.arch}, Node ${process.version}`;
}
