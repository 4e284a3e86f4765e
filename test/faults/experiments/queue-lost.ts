import { eventually } from "../../e2e/support/plane.ts";
import { type Wanted, deploy } from "../support/application.ts";
import type { Result } from "../support/result.ts";
import { type RigOptions, makeRig } from "../support/rig.ts";
import { faultsIn, untilOver, verdict } from "../support/world.ts";

/** Everything that the queue held is gone, with so many deployments in flight; nobody needs to do anything. */
export async function queueLost(options: RigOptions & { readonly runs: number }): Promise<Result> {
  const rig = await makeRig(options);
  const failures: string[] = [];
  const wanted = Array.from({ length: options.runs }, (_, at): Wanted => ({ project: `lost${at}`, mark: `lost-${at}` }));
  try {
    const ids = await Promise.all(wanted.map((one) => deploy(rig, one)));
    if (rig.redis) await rig.redis.flush();
    else await truncateQueue(rig.sql);
    const lost = Date.now();
    const [{ open } = { open: 0 }] = await rig.sql<{ open: number }>(
      "select count(*)::int as open from helix.run where kind = 'main' and state in ('ready', 'held')",
    );
    // A run that is ready and not taken has lost its wake-up; each must be sent again.
    const unsent = () =>
      rig.sql(
        "select id from helix.run where kind = 'main' and state = 'ready' and (woken_at is null or woken_at < to_timestamp($1::float8 / 1000)) and due_at < to_timestamp($1::float8 / 1000)",
        [lost],
      );
    await eventually("every run is sent again", unsent, { forMs: 30_000, holds: (rows) => rows.length === 0 });
    const resentMs = Date.now() - lost;
    for (const id of ids)
      await eventually(`the end of ${id}`, () => verdict(rig, id), { forMs: 300_000, holds: (found) => found !== null });
    const allMs = Date.now() - lost;
    for (const [at, id] of ids.entries()) {
      const ended = await untilOver(rig, id);
      if (ended.state !== "live") failures.push(`${wanted[at]!.project} ended ${ended.state} (${ended.code})`);
    }
    failures.push(...(await faultsIn(rig, { mark: wanted[0]!.mark, wanted: wanted[0]! })));
    if (resentMs > 10_000) failures.push(`it took ${resentMs} ms until all were queued again`);
    const figures = {
      runs: ids.length,
      "open when lost": open,
      "queued again after ms": resentMs,
      "all ended after ms": allMs,
      failures: failures.length,
    };
    return { experiment: `queue lost, ${options.queue} queue`, figures, failures };
  } finally {
    await rig.remove();
  }
}

async function truncateQueue(sql: (text: string) => Promise<readonly Record<string, any>[]>): Promise<void> {
  const tables = await sql(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'bullmq' and tablename !~ 'migration|version'",
  );
  await sql(`truncate ${tables.map(({ name }) => name as string).join(", ")} cascade`);
}
