/** Items on their way from a plugin to whoever reads them. As many wait here as the plugin has credit for. */
export interface StreamQueue {
  readonly push: (item: unknown) => void;
  /** No item follows. `error`: the reader gets it after the items that are here. */
  readonly end: (error?: unknown) => void;
  /** The next item; `done` once there is none. Rejects with the error of {@link StreamQueue.end}. */
  readonly take: () => Promise<IteratorResult<unknown, undefined>>;
}

export function streamQueue(): StreamQueue {
  const items: unknown[] = [];
  let ended: { readonly error: unknown } | undefined;
  let wake = () => {};
  return {
    push(item) {
      items.push(item);
      wake();
    },
    end(error) {
      ended ??= { error };
      wake();
    },
    async take() {
      while (items.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      if (items.length > 0) return { done: false, value: items.shift() };
      if (ended?.error !== undefined) throw ended.error;
      return { done: true, value: undefined };
    },
  };
}
