import type { BacktestReport } from "@helixstack/core/client";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Cli } from "../cli.ts";
import { countOption } from "../options.ts";
import { table } from "../output/table.ts";
import { openSession } from "../plane/session.ts";
import { compilePack } from "./compile.ts";
import { findOpa } from "./opa-program.ts";
import { readPackSource } from "./pack-source.ts";

export interface BacktestOptions {
  readonly last: string;
  readonly project?: string;
}

/** Asks a pack, which need not be signed, about decisions of the past. */
export async function backtestPack(cli: Cli, path: string, { last, project }: BacktestOptions): Promise<void> {
  const count = countOption("--last", last);
  const bundle = path.endsWith(".tar.gz") ? await readFile(resolve(cli.cwd, path)) : await compiled(cli, path);
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const body = { bundle: bundle.toString("base64"), last: count, ...(project !== undefined && { project }) };
  const { pack, items } = await http.request<BacktestReport>("POST", "/v1/policies/backtest", { body, repeatable: true });
  const wouldBlock = items.filter(({ before, after }) => before === "allowed" && after !== "allowed");
  const wouldPass = items.filter(({ before, after }) => before === "refused" && after === "allowed");
  const summary = {
    deployments: items.length,
    wouldBlock: wouldBlock.length,
    wouldPass: wouldPass.length,
    unchanged: items.length - wouldBlock.length - wouldPass.length,
  };
  cli.result({ pack, summary, deployments: items }, () => reportText(items));
  cli.note(
    `  Of ${items.length} deployments, ${pack} would have blocked ${wouldBlock.length} that went through, and says nothing against ${wouldPass.length} that were refused.`,
  );
}

async function compiled(cli: Cli, path: string): Promise<Buffer> {
  const opa = findOpa(cli);
  const source = await readPackSource(path, { cwd: cli.cwd, opa });
  const mark = { name: source.name, version: "trial", serial: 0, issuedAt: new Date().toISOString() };
  return compilePack(source, { opa, mark, key: null });
}

function reportText(items: BacktestReport["items"]): string {
  const rows = items.map(({ deployment, project, environment, before, after, findings, error }) => [
    deployment,
    `${project} ${environment}`,
    before,
    after,
    error?.message ?? [...new Set(findings.map(({ rule, message }) => `${rule}: ${message}`))].join("; "),
  ]);
  return table(["deployment", "where", "then", "with it", "because"], rows) || "Nothing was decided yet.";
}
