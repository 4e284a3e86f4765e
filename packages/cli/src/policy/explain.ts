import { EngineError, type DeploymentItem, type ExplainedDecision, type Finding, type PageOf } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import type { Colors } from "../output/colors.ts";
import { columns } from "../output/table.ts";
import { openSession } from "../plane/session.ts";

/** What was decided of a deployment, and of each finding: rule, pack, place, needed, found, fix, and who may waive it. */
export async function explainDecision(cli: Cli, given: string | undefined): Promise<void> {
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const id = given ?? (await http.request<PageOf<DeploymentItem>>("GET", "/v1/deployments", { query: { limit: 1 } })).items[0]?.id;
  if (id === undefined) throw new EngineError("DEPLOYMENT_NOT_FOUND", "Nothing was deployed yet, so nothing was decided.");
  const { items } = await http.request<{ items: readonly ExplainedDecision[] }>(
    "GET",
    `/v1/deployments/${encodeURIComponent(id)}/decisions`,
  );
  const decisions = items.map(({ input: _, findings, ...rest }) => ({
    ...rest,
    findings: findings.map((finding) => ({ ...finding, waivable: waivableBy(finding) })),
  }));
  cli.result({ deployment: id, decisions }, () => textOf(id, { decisions: items, colors: cli.colors }));
}

/** Who may let it pass; null: nobody needs to, or nobody may. */
function waivableBy({ level, rule }: Finding): string | null {
  if (level !== "soft-mandatory") return null;
  return `anybody but who deploys: helix policy waive ${rule} --for 24h --reason "..."`;
}

function textOf(id: string, { decisions, colors }: { decisions: readonly ExplainedDecision[]; colors: Colors }): string {
  if (decisions.length === 0) return `Nothing was decided of ${id}.`;
  return decisions.map((decision) => decisionText(decision, colors)).join("\n\n");
}

function decisionText({ id, point, at, allow, bundle, findings, error }: ExplainedDecision, colors: Colors): string {
  const verdict = allow ? colors.green("allowed") : colors.red(error ? "could not be decided, so refused" : "refused");
  const head = `${colors.bold(point)} ${verdict}  ${colors.dim(`${id}, ${at}, policies ${bundle.replace("sha256:", "").slice(0, 12)}`)}`;
  return [head, ...(error ? [`  ${error.code}: ${error.message}`] : []), ...findings.map((finding) => findingText(finding, colors))].join(
    "\n",
  );
}

function findingText(finding: Finding, colors: Colors): string {
  const { rule, level, message, pack, path, file, line, needed, found, fix, waiver } = finding;
  const paint = level === "advisory" || waiver ? colors.yellow : colors.red;
  const rows = [
    ["rule", `${rule}${pack ? ` of ${pack}` : ""}`],
    ["where", `${path}${line ? `  (${file}:${line})` : ""}`],
    ...(needed ? [["needed", needed]] : []),
    ...(found ? [["found", found]] : []),
    ["fix", fix],
    ["waiver", waiver ? `by ${waiver.by} until ${waiver.expiresAt}: ${waiver.reason}` : waiverText(finding)],
  ];
  return [`  ${paint(level)} ${colors.bold(message)}`, columns(rows.map(([name, text]) => [`    ${colors.dim(name!)}`, text!]))].join("\n");
}

function waiverText(finding: Finding): string {
  if (finding.level === "advisory") return "not needed: it only advises";
  return waivableBy(finding) ?? "none: it is mandatory";
}
