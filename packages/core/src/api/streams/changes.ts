import type { Ledger, Scope } from "../../ports/index.ts";

/** Says when a stream of the ledger may have something new. */
export interface Changes {
  /**
   * Resolves at the next change, at once for one that came since the last call, when the signal fires, or after `atMostMs`: notifications can be lost
   * with a connection, and reading again now and then loses nothing.
   */
  next(atMostMs: number): Promise<void>;
}

/** Watches a stream until the signal fires. Resolves once it watches: what is read after that is not missed. */
export async function watchChanges(
  ledger: Pick<Ledger, "watch">,
  scope: Scope,
  { stream, signal }: { readonly stream: string; readonly signal: AbortSignal },
): Promise<Changes> {
  let isNew = false;
  let wake = () => {};
  const onChange = () => {
    isNew = true;
    wake();
  };
  signal.addEventListener("abort", onChange, { once: true });
  await ledger.watch(scope, { stream, signal }, onChange);
  return {
    async next(atMostMs) {
      if (!isNew && !signal.aborted) {
        const timer = setTimeout(() => wake(), atMostMs);
        await new Promise<void>((resolve) => (wake = resolve));
        clearTimeout(timer);
      }
      isNew = false;
    },
  };
}
