import { EXIT, EngineError } from "@helixstack/core/client";

/** A wrapper (npx) passes the signal on that the terminal sent to both: that is one Ctrl-C, not two. */
const SAME_MS = 500;

/** Fires at the first Ctrl-C or SIGTERM; a second one ends the process at once. Until it is called, both end the process. */
export function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const interrupted = () => {
    if (!controller.signal.aborted) first = performance.now();
    else if (performance.now() - first > SAME_MS) process.exit(EXIT.detach);
    controller.abort(new Interrupted());
  };
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", interrupted);
  // A follower whose reader went away has nothing left to do.
  process.stdout.once("error", () => controller.abort(new Interrupted()));
  return controller.signal;
}

/** The reason of the signal of {@link onInterrupt}. */
class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor() {
    super("interrupted");
  }
}

/** The work, or `DETACHED` as soon as the signal fires. The work is left behind. */
export async function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const interrupted = new Promise<never>((_, reject) => {
    const stop = () =>
      reject(new EngineError("DETACHED", "Stopped before a deployment was recorded.", { hint: "`helix ls` shows whether one was." }));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([work, interrupted]);
}
