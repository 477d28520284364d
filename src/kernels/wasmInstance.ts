/** What native/wasm.cpp exports. Addresses are bytes. */
export interface WasmExports {
  run(words: number, arena: number, scratch: number, thread: number, threads: number): void;
  tileRows(): number;
  tileColumns(): number;
  depth(): number;
  free(): number;
  readonly __stack_pointer: WebAssembly.Global;
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): WasmExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as WasmExports;
}

/** What a thread begins with. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Addresses: of two words, how many runs were started and which program the newest runs; of the arena; of memory of
   * the thread's own; and of the end of its stack. */
  readonly control: number;
  readonly arena: number;
  readonly scratch: number;
  readonly stack: number;
  readonly thread: number;
  readonly threads: number;
}

/** Sleeps until more runs were started than `done`. @returns how many */
export function waitForWork(control: Int32Array, done: number): number {
  let started = Atomics.load(control, 0);
  for (; started === done; started = Atomics.load(control, 0)) Atomics.wait(control, 0, done);
  return started;
}

/** Starts a run of the program at an address on all threads. */
export function startWork(control: Int32Array, words: number): void {
  control[1] = words;
  Atomics.add(control, 0, 1);
  Atomics.notify(control, 0);
}
