/** Runs `work` on each item, `limit` at a time. The first failure stops the rest and is thrown once what had begun is over. */
export async function each<T>(items: Iterable<T>, limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  let failure: { readonly thrown: unknown } | null = null;
  const lane = async () => {
    for (;;) {
      if (failure !== null) return;
      const next = rest.next();
      if (next.done) return;
      try {
        await work(next.value);
      } catch (thrown) {
        failure ??= { thrown };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  if (failure !== null) throw (failure as { readonly thrown: unknown }).thrown;
}
