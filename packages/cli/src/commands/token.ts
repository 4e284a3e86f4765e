import type { TokenItem } from "@helixstack/core/client";
import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { table } from "../output/table.ts";
import { ago } from "../output/time.ts";
import { openSession } from "../plane/session.ts";

export function define(command: Command): void {
  command
    .command("create")
    .description("make a token; it is shown this once")
    .argument("<name>", "who will use it")
    .option("-p, --project <name>", "let it reach this project only: its status, logs and secrets")
    .action(action<CreateOptions>((cli, { args: [name], options }) => create(cli, name!, options)));
  command
    .command("ls")
    .description("list tokens")
    .action(action((cli) => list(cli)));
  command
    .command("revoke")
    .description("make a token useless")
    .argument("<name>", "its name or id")
    .action(action((cli, { args: [name] }) => revoke(cli, name!)));
}

interface CreateOptions {
  readonly project?: string;
}

async function create(cli: Cli, name: string, { project }: CreateOptions): Promise<void> {
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const answer = await http.request<TokenItem & { token: string }>("POST", "/v1/tokens", {
    body: { name, ...(project !== undefined && { project }) },
  });
  cli.result(answer, () => answer.token);
  cli.note("  It is not shown again. Use it as HELIX_TOKEN, with HELIX_URL.");
}

async function list(cli: Cli): Promise<void> {
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const { items } = await http.request<{ items: readonly TokenItem[] }>("GET", "/v1/tokens");
  cli.result({ tokens: items }, () => {
    const now = Date.now();
    const rows = items.map(({ id, name, createdAt, lastUsedAt, revokedAt }) => [
      name,
      id,
      ago(createdAt, now),
      lastUsedAt ? ago(lastUsedAt, now) : "never",
      revokedAt ? "revoked" : "live",
    ]);
    return table(["name", "id", "made", "used", "state"], rows) || "No tokens.";
  });
}

async function revoke(cli: Cli, name: string): Promise<void> {
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const token = await http.request<TokenItem>("DELETE", `/v1/tokens/${encodeURIComponent(name)}`);
  cli.result({ token: token ?? { name } }, () => `${name} revoked`);
}
