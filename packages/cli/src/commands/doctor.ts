import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { type Check, localChecks } from "../doctor/local-checks.ts";
import { planeChecks } from "../doctor/plane-checks.ts";
import { columns } from "../output/table.ts";

export function define(command: Command): void {
  command.action(action((cli) => doctor(cli)));
}

/** Looks; changes nothing. What is wrong is the result, so the exit code is 0. */
async function doctor(cli: Cli): Promise<void> {
  const checks = [...(await localChecks(cli)), ...(await planeChecks(cli))];
  const failing = checks.filter(({ state }) => state === "failed").length;
  cli.result({ healthy: failing === 0, checks }, () => columns(checks.map((check) => row(check, cli))));
  cli.note(failing === 0 ? "  Nothing is wrong." : `  ${failing} of ${checks.length} checks failed.`);
}

function row({ name, state, says, fix }: Check, { colors }: Cli): readonly string[] {
  const mark = { ok: colors.green("✓"), failed: colors.red("✗"), note: colors.yellow("!"), skipped: colors.dim("·") }[state];
  return [mark, name, fix ? `${says}   ${colors.cyan(`mend: ${fix}`)}` : says];
}
