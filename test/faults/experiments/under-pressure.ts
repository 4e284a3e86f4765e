import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../e2e/support/plane.ts";
import { askAll } from "../support/ask-all.ts";
import { type Wanted, deploy } from "../support/application.ts";
import type { Pressure } from "../support/pressures.ts";
import type { Result } from "../support/result.ts";
import { makeRig } from "../support/rig.ts";
import { type Ended, addressesOf, faultsIn, untilOver, verdict } from "../support/world.ts";

const LONGEST_MS = 420_000;
/** What says nothing to who reads it. */
const UNCLEAR: ReadonlySet<string | null> = new Set(["BUG", "INTERNAL", null]);

/**
 * A deployment under pressure: it is slower, or ends with a clear error. What serves goes on serving. After the relief, and without a hand's turn, what was
 * asked for comes to its end, and the next deployment goes live.
 */
export async function underPressure(pressure: Pressure): Promise<Result> {
  const rig = await makeRig(pressure.options);
  const failures: string[] = [];
  const wanted = (at: number): Wanted => ({ project: "pressed", mark: `pressed-${at}` });
  try {
    await untilOver(rig, await deploy(rig, wanted(1)));
    const asking = askAll(Object.values(await addressesOf(rig, "pressed")));
    const began = performance.now();
    const relieve = await pressure.press(rig);
    const asked = deploy(rig, wanted(2)).catch((error: unknown) => error as Error);
    if (pressure.forMs !== null) await sleep(pressure.forMs);
    else await eventually("an end under pressure", async () => isOver(await asked, rig), { forMs: LONGEST_MS });
    await relieve();
    const id = await asked;
    const ended = id instanceof Error ? id.message.slice(0, 200) : await untilOver(rig, id, LONGEST_MS);
    const tookMs = performance.now() - began;
    const requests = await asking.stop();
    if (requests.failed > 0) failures.push(`${requests.failed} of ${requests.requests} requests to what served failed`);
    if (typeof ended !== "string" && ended.state !== "live" && UNCLEAR.has(ended.code)) failures.push(`it ended ${words(ended)}`);
    const next = await untilOver(rig, await deploy(rig, wanted(3)), LONGEST_MS);
    if (next.state !== "live") failures.push(`the deployment after the relief ended ${words(next)}`);
    const settled = () => faultsIn(rig, { mark: wanted(3).mark, wanted: wanted(3) });
    await eventually("what should be", settled, { holds: (found) => found.length === 0 }).catch(() => {});
    failures.push(...(await settled()));
    const lost = await rig.sql("select 1 from helix.event where type = 'run.lost'");
    const figures = {
      "under pressure": typeof ended === "string" ? `refused: ${ended}` : words(ended),
      "took s": Math.round(tookMs / 1000),
      requests: requests.requests,
      "requests failed": requests.failed,
      "runs that moved": lost.length,
      "after it": words(next),
      failures: failures.length,
    };
    return { experiment: pressure.name, figures, failures };
  } finally {
    await rig.remove();
  }
}

async function isOver(id: string | Error, rig: Parameters<typeof verdict>[0]): Promise<boolean> {
  return id instanceof Error || (await verdict(rig, id)) !== null;
}

function words({ state, code }: Ended): string {
  return code === null ? state : `${state} (${code})`;
}
