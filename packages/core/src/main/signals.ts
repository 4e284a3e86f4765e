const END_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Resolves with the first signal that asks the process to end. A second one ends it at once. */
export function untilAskedToEnd(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of END_SIGNALS) {
      process.once(signal, () => {
        for (const again of END_SIGNALS) process.on(again, () => process.exit(1));
        resolve(signal);
      });
    }
  });
}
