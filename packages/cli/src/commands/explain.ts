import { EngineError } from "@helixstack/core/client";
import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { errorCodes, isErrorCode, rowOf } from "../error-table.ts";
import { closestTo } from "../closest.ts";
import { columns } from "../output/table.ts";

export function define(command: Command): void {
  command
    .argument("[code]", "an error code, like HEALTH_FAILED; none lists all")
    .action(action((cli, { args: [code] }) => explain(cli, code)));
}

async function explain(cli: Cli, given: string | undefined): Promise<void> {
  if (given === undefined) return list(cli);
  const code = given.toUpperCase().replaceAll("-", "_");
  if (!isErrorCode(code)) {
    const meant = closestTo(code, errorCodes());
    throw new EngineError(
      "ERROR_NOT_FOUND",
      `There is no error code ${given}.`,
      meant === null ? {} : { hint: `Did you mean ${meant}? \`helix explain\` lists all.` },
    );
  }
  const { sentence, hint, retryable, exit, status } = rowOf(code);
  cli.result({ code, sentence, hint, retryable, exit, status }, () =>
    [
      `${cli.colors.bold(code)}: ${sentence}`,
      columns([
        ["  to do", hint],
        ["  exit code", String(exit)],
        ["  HTTP status", String(status)],
        ["  tried again", retryable ? "yes, by the engine itself" : "no"],
      ]),
    ].join("\n"),
  );
}

function list(cli: Cli): void {
  const errors = errorCodes().map((code) => ({ code, sentence: rowOf(code).sentence }));
  cli.result({ errors }, () => columns(errors.map(({ code, sentence }) => [cli.colors.bold(code), sentence])));
}
