import type { Command } from 'commander';

/** Every subcommand of `reverie`, in the order of its help; each is loaded when it is asked for. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.js')).startCommand(),
  train: async () => (await import('./train.js')).trainCommand(),
  demonstrate: async () => (await import('./demonstrate.js')).demonstrateCommand(),
  record: async () => (await import('./record.js')).recordCommand(),
  dataset: async () => (await import('./dataset.js')).datasetCommand(),
  run: async () => (await import('./run.js')).runCommand(),
  teleop: async () => (await import('./teleop.js')).teleopCommand(),
  learn: async () => (await import('./learn.js')).learnCommand(),
  fleet: async () => (await import('./fleet.js')).fleetCommand(),
  eval: async () => (await import('./eval.js')).evalCommand(),
  export: async () => (await import('./export.js')).exportCommand(),
  emulate: async () => (await import('./emulate.js')).emulateCommand(),
  bus: async () => (await import('./bus.js')).busCommand(),
  calibrate: async () => (await import('./calibrate.js')).calibrateCommand(),
  ros: async () => (await import('./ros.js')).rosCommand(),
  bench: async () => (await import('./bench.js')).benchCommand(),
  safety: async () => (await import('./safety.js')).safetyCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
};
