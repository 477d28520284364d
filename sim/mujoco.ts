import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import loadModule, { type MainModule } from '@mujoco/mujoco';

export type Mujoco = MainModule;

/** Compiles MuJoCo's WebAssembly once; the module can be handed to worker threads, which then skip compiling. */
export function compileMujoco(): Promise<WebAssembly.Module> {
  const path = createRequire(import.meta.url).resolve('@mujoco/mujoco/mujoco.wasm');
  return WebAssembly.compile(readFileSync(path));
}

/**
 * Instantiates MuJoCo, with a heap of its own.
 * @param compiled from `compileMujoco`, possibly of another thread
 */
export async function loadMujoco(compiled?: WebAssembly.Module): Promise<Mujoco> {
  const module = compiled ?? (await compileMujoco());
  return loadModule({
    instantiateWasm(
      imports: WebAssembly.Imports,
      done: (i: WebAssembly.Instance, m: WebAssembly.Module) => void,
    ) {
      WebAssembly.instantiate(module, imports).then((instance) => done(instance, module));
      return {};
    },
    // MuJoCo prints model warnings to standard output, where a command's JSON goes.
    print: (text: string) => process.stderr.write(`mujoco: ${text}\n`),
  });
}
