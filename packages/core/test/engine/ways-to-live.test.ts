import { describe, expect, test } from "vitest";
import { type SourceFile, coreSource, waysToLive } from "./ways-to-live.ts";
import { WITHOUT_CHECK } from "./without-check.ts";

const source = coreSource();
const ways = waysToLive(source);
const changed = (file: string, change: (text: string) => string): readonly SourceFile[] =>
  source.map(({ path, text }) => ({ path, text: path === file ? change(text) : text }));

test("these are all the places from which something can go live, and what each shows for it", () => {
  expect(ways).toEqual([
    "adapters/postgres/dump.ts leaves no deployment under way: failed",
    "adapters/postgres/dump.ts leaves no run under way: done",
    // API, console and every command ask here, and go through the same steps.
    "api/deployments/create.ts createDeployment asks for a deployment",
    "domain/plan-steps.ts FIRST_STEPS plans plan, policy-plan",
    "domain/plan-steps.ts destroySteps plans plan, unroute, retire, erase, erase, erase, release",
    "domain/plan-steps.ts planSteps plans release, build, policy-artifact, reserve, volume, hold, halt, apply, verify, policy-release, route, release",
    "domain/plan-steps.ts taskSteps plans task",
    "engine/clearance.ts ask asks the policies",
    "engine/clearance.ts clearance makes a clearance",
    "engine/decisions.ts askPolicies answers once it is allowed",
    "engine/decisions.ts askPolicies has the policies decide",
    "engine/preview.ts preview has the policies decide",
    "engine/repair-run.ts startAgain applies, by leave of carryLive",
    "engine/repair-run.ts switches to live, by leave of carryLive",
    // Starts what is new; nobody is let through to it yet.
    "engine/steps/apply.ts applyStep applies",
    "engine/steps/hold.ts switches to held",
    "engine/steps/policy.ts policyStep asks the policies",
    "engine/steps/release.ts releaseStep writes a release, by leave of clearNext",
    "engine/steps/reserve.ts switches to reserved",
    "engine/steps/route.ts switches to next, by leave of clearNext",
    "engine/steps/unroute.ts switches to empty",
    // Its own type wants the leave from whoever calls it.
    "engine/tables.ts switchTable applies",
    "engine/tables.ts switches to live, by leave of carryLive",
    "engine/undo.ts startAgain applies, by leave of carryLive",
    "main/backup.ts restorePlane puts a dump in the ledger's place",
  ]);
});

describe("the list is another one", () => {
  test.for(WITHOUT_CHECK.filter(({ shows }) => shows !== "happens"))("without the check on $road", ({ file, from, to }) => {
    const { text } = source.find(({ path }) => path === file)!;
    expect(text.split(from), `${file} has it once`).toHaveLength(2);
    expect(waysToLive(changed(file, () => text.replace(from, to)))).not.toEqual(ways);
  });

  test.for([
    ["switches requests", 'await switchTable(run, on, { plugin, kind: "live", clearance: given });'],
    ["starts something", 'await act(run, on, { plane: "runtime", verb: "apply" });'],
    ["writes releases", 'writes.push({ write: "release.create", release: made });'],
    ["asks the ledger for a deployment", "await ledger.createDeployment(scope, wanted);"],
    ["makes a clearance", "return {} as Clearance;"],
    ["loads a dump", "await loadLedger(url, dump);"],
  ] as const)("with another place that %s", ([, line]) => {
    expect(waysToLive([...source, { path: "engine/new.ts", text: `export async function back(run: Run) {\n  ${line}\n}\n` }])).not.toEqual(
      ways,
    );
  });
});
