import type { BundleProblem, PackInfo, WaiverRecord } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import { table } from "../output/table.ts";
import { openSession } from "../plane/session.ts";

interface Listing {
  readonly packs: readonly PackInfo[];
  readonly problems: readonly BundleProblem[];
}

/** Packs, what they weigh, what is wrong, and what is waived. */
export async function listPolicies(cli: Cli): Promise<void> {
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const { packs, problems } = await http.request<Listing>("GET", "/v1/policies");
  const { items: waivers } = await http.request<{ items: readonly WaiverRecord[] }>("GET", "/v1/policies/waivers");
  cli.result({ packs, problems, waivers }, () =>
    [packTable(packs), ruleTable(packs), problemLines(problems, cli), waiverTable(waivers)].filter(Boolean).join("\n\n"),
  );
}

function packTable(packs: readonly PackInfo[]): string {
  const rows = packs.map(({ name, version, maturity, signedBy, expiresAt, digest }) => [
    name,
    version,
    maturity ?? "all",
    signedBy,
    expiresAt ? minuteOf(expiresAt) : "never",
    digest.replace("sha256:", "").slice(0, 12),
  ]);
  return table(["pack", "version", "for", "signed by", "ends", "digest"], rows);
}

/** One row a rule, one column a maturity. */
function ruleTable(packs: readonly PackInfo[]): string {
  const shipped = packs.filter(({ maturity, rules }) => maturity !== null && rules.length > 0);
  const rules = [...new Map(shipped.flatMap((pack) => pack.rules.map((one) => [one.rule, one.title] as const)))];
  const level = (pack: PackInfo, rule: string) => pack.rules.find((one) => one.rule === rule)?.level ?? "";
  const rows = rules.map(([rule, title]) => [rule, ...shipped.map((pack) => level(pack, rule)), title]);
  return table(["rule", ...shipped.map(({ maturity }) => maturity!), "asks that"], rows);
}

function problemLines(problems: readonly BundleProblem[], { colors }: Cli): string {
  const what = (isKept: boolean) => (isKept ? "its last good edition decides" : "everything is refused");
  return problems.map(({ file, error, isKept }) => `${colors.red("not in force")} ${file}: ${error.message}; ${what(isKept)}`).join("\n");
}

function waiverTable(waivers: readonly WaiverRecord[]): string {
  const rows = waivers.map(({ rule, project, environment, path, principal, expiresAt, reason }) => [
    rule,
    `${project} ${environment ?? "(all)"}`,
    path ?? "",
    principal.name,
    minuteOf(expiresAt),
    reason,
  ]);
  return table(["waived", "where", "path", "by", "until", "reason"], rows);
}

/** An ISO time as far as people read it. */
function minuteOf(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}
