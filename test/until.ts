/** Waits for what is to come true; generous, since a busy machine is no failure. @throws Error when it does not */
export async function until(holds: () => boolean, timeout_s = 30): Promise<void> {
  for (const end = Date.now() + 1e3 * timeout_s; Date.now() < end; ) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not within ${timeout_s} s: ${holds}`);
}
