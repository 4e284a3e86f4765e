import { setTimeout as sleep } from "node:timers/promises";
import { deploy } from "../support/application.ts";
import { type Result, spread } from "../support/result.ts";
import { type RigOptions, makeRig } from "../support/rig.ts";
import { doubles, faultsIn, untilOver, verdict } from "../support/world.ts";

/** Kills the worker of one run again and again at the same place; it still completes. */
export async function twentyKills(options: RigOptions & { readonly kills: number }): Promise<Result> {
  const rig = await makeRig(options);
  const wanted = { project: "twenty", mark: "twenty-1" };
  try {
    for (let left = options.kills; left > 0; left--)
      rig.faults.arm({ moment: "inside", boundary: "call runtime.apply", act: "kill", afterMs: 5 });
    const id = await deploy(rig, wanted);
    const ended = await untilOver(rig, id, 60_000 + options.kills * 20_000);
    const journal = rig.faults.journal();
    const deaths = journal.filter(({ act }) => act === "kill");
    const resumes = deaths.flatMap(({ at, pid }) => {
      const next = journal.find((one) => one.at >= at && one.pid !== pid && one.moment === "after" && one.boundary === "ledger.claim");
      return next ? [next.at - at] : [];
    });
    const failures = [
      ...(ended.state === "live" ? [] : [`it ended ${ended.state} (${ended.code})`]),
      ...(deaths.length === options.kills ? [] : [`${deaths.length} workers died and not ${options.kills}`]),
      ...doubles(rig, { mark: wanted.mark, wanted, isLive: true }),
      ...(await faultsIn(rig, { mark: wanted.mark, wanted })),
    ];
    return {
      experiment: `${options.kills} kills of one run, ${options.queue} queue`,
      figures: { kills: deaths.length, ...spread("resume", resumes) },
      failures,
    };
  } finally {
    await rig.remove();
  }
}

/** More deaths than a run may cause. */
const TOO_MANY = 30;

/** A step that kills its worker each time is quarantined with a reason, and the rest of the queue goes on. */
export async function quarantine(options: RigOptions): Promise<Result> {
  const rig = await makeRig(options);
  const bad = { project: "bad", mark: "bad-1" };
  const good = { project: "good", mark: "good-1", runtime: "process" as const };
  try {
    for (let left = TOO_MANY; left > 0; left--) rig.faults.arm({ moment: "before", boundary: "call build.build", act: "kill" });
    const badId = await deploy(rig, bad);
    await sleep(500);
    const isQuarantined = async () => (await verdict(rig, badId)) !== null;
    while (!(await isQuarantined())) await sleep(200);
    const deaths = rig.faults.journal().filter(({ act }) => act === "kill").length;
    rig.faults.clear();
    const ended = (await verdict(rig, badId))!;
    const [{ error } = { error: null }] = await rig.sql("select error from helix.deployment where id = $1", [badId]);
    const goodEnd = await untilOver(rig, await deploy(rig, good));
    const failures = [
      ...(ended.code === "QUARANTINED" ? [] : [`the deployment that kills ended ${ended.state} (${ended.code})`]),
      ...(/workers in a row died/.test(error?.message ?? "") ? [] : [`the reason is ${JSON.stringify(error)}`]),
      ...(goodEnd.state === "live" ? [] : [`the next deployment ended ${goodEnd.state} (${goodEnd.code})`]),
      ...(await faultsIn(rig, { mark: good.mark, wanted: good })),
    ];
    return {
      experiment: `quarantine, ${options.queue} queue`,
      figures: { "deaths until quarantine": deaths, reason: error?.message ?? "" },
      failures,
    };
  } finally {
    await rig.remove();
  }
}
