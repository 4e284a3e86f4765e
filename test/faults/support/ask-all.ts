import { setTimeout as sleep } from "node:timers/promises";
import { get } from "../../e2e/support/plane.ts";

/** Asks every service all the time, one request after the other. */
export function askAll(addresses: readonly { host: string; port: number }[]): { stop(): Promise<{ requests: number; failed: number }> } {
  let isOver = false;
  const tally = { requests: 0, failed: 0 };
  const ask = async (address: { host: string; port: number }) => {
    while (!isOver) {
      const isFine = await get(address).then(
        ({ status }) => status === 200,
        () => false,
      );
      tally.requests++;
      if (!isFine) tally.failed++;
      await sleep(10);
    }
  };
  const all = Promise.all(addresses.map(ask));
  return {
    async stop() {
      isOver = true;
      await all;
      return tally;
    },
  };
}
