import { EngineError, toEngineError } from "../../domain/errors.ts";
import { plainFinding } from "../../domain/finding.ts";
import type { DecisionRecord, Finding, PolicyCatalog, Scope } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import type { BacktestItem, BacktestReport } from "../documents.ts";

interface Wanted {
  readonly bundle: Uint8Array;
  readonly project: string | null;
  readonly last: number;
}

type Trial = Awaited<ReturnType<PolicyCatalog["openTrial"]>>;

/** Asks a pack about every decision of the last deployments, with the inputs of then, newest first. */
export async function backtest({ ledger, policies }: ApiDeps, scope: Scope, { bundle, project, last }: Wanted): Promise<BacktestReport> {
  const trial = await policies.openTrial(bundle).catch((thrown: unknown) => {
    throw new EngineError("USAGE", `the bundle cannot be tried: ${toEngineError(thrown).message}`, { cause: thrown });
  });
  const begun = await ledger.listDecisions(scope, { point: "plan", project, limit: last });
  const items: BacktestItem[] = [];
  // One after the other: the past can wait, what is decided now cannot.
  for (const { deployment } of distinct(begun)) items.push(await tried(trial, await ledger.decisions(scope, deployment)));
  return { pack: trial.name, items };
}

/** A deployment that went on after a kill was decided on more than once. */
function distinct(decisions: readonly DecisionRecord[]): readonly DecisionRecord[] {
  return [...new Map(decisions.map((one) => [one.deployment, one])).values()];
}

async function tried(trial: Trial, decisions: readonly DecisionRecord[]): Promise<BacktestItem> {
  const first = decisions[0]!;
  const { project, environment } = first.input as { readonly project: string; readonly environment: string };
  const before = decisions.every(({ decision }) => decision.allow) ? "allowed" : "refused";
  const about = { deployment: first.deployment, project, environment, at: first.at, before } as const;
  try {
    const answers = await Promise.all(decisions.map(({ input }) => trial.decide(input)));
    const after = answers.every(({ allow }) => allow) ? "allowed" : "refused";
    return { ...about, after, findings: unique(answers.flatMap(({ findings }) => findings)), error: null };
  } catch (thrown) {
    return { ...about, after: "undecided", findings: [], error: toEngineError(thrown).toDocument() };
  }
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  const plain = findings.map(plainFinding);
  return [...new Map(plain.map((finding) => [JSON.stringify(finding), finding])).values()];
}
