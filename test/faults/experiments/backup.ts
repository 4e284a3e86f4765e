import { join } from "node:path";
import { get } from "../../e2e/support/plane.ts";
import { type Wanted, deploy } from "../support/application.ts";
import type { Result } from "../support/result.ts";
import { type RigOptions, makeRig } from "../support/rig.ts";
import { addressesOf, applicationsOf, untilOver, untilQuiet } from "../support/world.ts";

/** A backup in the middle of a deployment, more deployments, a restore: nothing that runs is removed, and what is newer is shown. */
export async function backupAndRestore(options: RigOptions): Promise<Result> {
  const rig = await makeRig({ ...options, hasFaults: false });
  const failures: string[] = [];
  const file = join(rig.plane.home, "saved.helix");
  const wanted = (project: string, at: number): Wanted => ({ project, mark: `${project}-${at}` });
  try {
    await untilOver(rig, await deploy(rig, wanted("old", 1)));
    const underWay = await deploy(rig, wanted("busy", 1));
    const began = performance.now();
    const saved = await rig.plane.helix(["backup", file]);
    const backupMs = Math.round(performance.now() - began);
    if (saved.exit !== 0) failures.push(`backup: ${saved.stdout}`);
    await untilOver(rig, underWay);
    await untilOver(rig, await deploy(rig, wanted("new", 1)));
    const before = (await Promise.all(["old", "busy", "new"].map((project) => applicationsOf(rig, project)))).flat();
    const newAddress = (await addressesOf(rig, "new"))["web"]!;
    const again = performance.now();
    const restored = await rig.plane.helix(["restore", file]);
    const restoreMs = Math.round(performance.now() - again);
    if (restored.exit !== 0) failures.push(`restore: ${restored.stdout}${restored.stderr}`);
    await untilQuiet(rig);
    const after = new Set(
      (await Promise.all(["old", "busy", "new"].map((project) => applicationsOf(rig, project)))).flat().map(({ pid }) => pid),
    );
    const removed = before.filter(({ pid }) => !after.has(pid));
    if (removed.length > 0) failures.push(`${removed.length} applications were removed by the restore`);
    const answer = await get(newAddress).then(({ text }) => text, String);
    if (answer !== "new-1") failures.push(`what is newer than the backup answers ${answer}`);
    const { orphans } = await rig.api.request("GET", "/v1/sweep");
    const newer = (orphans as { isNewer: boolean; kind: string }[]).filter(({ isNewer, kind }) => isNewer && kind === "revision").length;
    if (newer < 2) failures.push(`${newer} revisions are shown as newer, and it should be 2 at least: ${JSON.stringify(orphans)}`);
    const [{ state, code } = { state: "gone", code: "" }] = await rig.sql(
      "select state, error->>'code' as code from helix.deployment where id = $1",
      [underWay],
    );
    if (!(state === "failed" && code === "RESTORED") && state !== "live") failures.push(`the deployment under way is ${state} (${code})`);
    const url = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;
    for (const project of ["old", "busy", "new"]) {
      const ended = await untilOver(rig, await deploy(rig, wanted(project, 2)));
      if (ended.state !== "live") failures.push(`${project} deployed after the restore ended ${ended.state} (${ended.code})`);
      const address = (await addressesOf(rig, project))["web"];
      const said = address ? await get(address).then(({ text }) => text, String) : "nothing";
      if (said !== `${project}-2`) failures.push(`${project} answers ${said} after the next deploy`);
      if (project === "new" && address && url(address) !== url(newAddress)) failures.push("what is newer than the backup has moved");
    }
    const figures = {
      "backup ms": backupMs,
      "backup bytes": saved.json.bytes,
      "restore ms": restoreMs,
      "shown as newer": newer,
      removed: removed.length,
      failures: failures.length,
    };
    return { experiment: "backup and restore while deployments run", figures, failures };
  } finally {
    await rig.remove();
  }
}
