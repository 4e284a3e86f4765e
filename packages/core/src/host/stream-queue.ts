/** Items on their way from a plugin to whoever reads them. As many messages of them wait here as the plugin has credit for. */
export interface StreamQueue {
  readonly push: (items: readonly unknown[]) => void;
  /** No item follows. `error`: the reader gets it after the items that are here. */
  readonly end: (error?: unknown) => void;
  /** The next items, as they were pushed together; `done` once there is none. Rejects with the error of {@link StreamQueue.end}. */
  readonly take: () => Promise<IteratorResult<readonly unknown[], undefined>>;
}

export function streamQueue(): StreamQueue {
  const waiting: (readonly unknown[])[] = [];
  let ended: { readonly error: unknown } | undefined;
  let wake = () => {};
  return {
    push(items) {
      waiting.push(items);
      wake();
    },
    end(error) {
      ended ??= { error };
      wake();
    },
    async take() {
      while (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      const first = waiting.shift();
      if (first) return { done: false, value: first };
      if (ended?.error !== undefined) throw ended.error;
      return { done: true, value: undefined };
    },
  };
}
