import { readFile } from "node:fs/promises";
import { eventually, get } from "../../e2e/support/plane.ts";
import { type Wanted, deploy } from "../support/application.ts";
import type { Result } from "../support/result.ts";
import { type Rig, type RigOptions, makeRig } from "../support/rig.ts";
import { addressesOf, untilQuiet, verdict } from "../support/world.ts";

/** Many deployments of many projects at once: all end, in order per environment, and memory is bounded. */
export async function manyAtOnce(options: RigOptions & { readonly projects: number; readonly each: number }): Promise<Result> {
  const rig = await makeRig({ ...options, hasFaults: false });
  const failures: string[] = [];
  let peakMb = 0;
  const control = await rig.pidOf("control");
  const watch = setInterval(() => {
    readFile(`/proc/${control}/status`, "utf8").then(
      (text) => (peakMb = Math.max(peakMb, Math.round(Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024))),
      () => {},
    );
  }, 500);
  const began = performance.now();
  try {
    const projects = Array.from({ length: options.projects }, (_, at) => `many${at}`);
    const asked = await Promise.all(
      projects.map(async (project) => {
        const ids: string[] = [];
        for (let at = 1; at <= options.each; at++) ids.push(await deploy(rig, { project, mark: `${project}-${at}` } satisfies Wanted));
        return { project, ids };
      }),
    );
    await untilQuiet(rig, 1_800_000);
    const ends: Record<string, number> = {};
    for (const { project, ids } of asked) {
      for (const id of ids) {
        const { state } = await untilEnded(rig, id);
        ends[state] = (ends[state] ?? 0) + 1;
      }
      const order = await rig.sql("select id from helix.deployment where id = any($1) and state = 'live' order by ended_at", [ids]);
      const went = order.map(({ id }) => id as string);
      if (went.join() !== went.toSorted().join()) failures.push(`${project} went live out of order`);
      const address = (await addressesOf(rig, project))["web"];
      const said = address ? await get(address).then(({ text }) => text, String) : "nothing";
      if (said !== `${project}-${options.each}`) failures.push(`${project} answers ${said}, and the newest is ${project}-${options.each}`);
    }
    const wrong = Object.keys(ends).filter((state) => state !== "live" && state !== "superseded");
    failures.push(...wrong.map((state) => `${ends[state]} ended ${state}`));
    const figures = {
      deployments: options.projects * options.each,
      ...ends,
      "took s": Math.round((performance.now() - began) / 1000),
      "control plane at most MB": peakMb,
      failures: failures.length,
    };
    return { experiment: `${options.projects * options.each} deployments at once`, figures, failures };
  } finally {
    clearInterval(watch);
    await rig.remove();
  }
}

async function untilEnded(rig: Rig, id: string): Promise<{ readonly state: string }> {
  const found = await eventually(`the end of ${id}`, () => verdict(rig, id), { forMs: 1_800_000, holds: (ended) => ended !== null });
  return found!;
}
