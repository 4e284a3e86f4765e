import { EngineError } from "@helixstack/core/client";
import { createInterface } from "node:readline/promises";
import type { Cli } from "./cli.ts";

/** Asks on stderr. Throws `CONFIRMATION_NEEDED` where nobody can be asked. */
export async function confirm(cli: Cli, question: string): Promise<boolean> {
  if (!canAsk(cli)) throw new EngineError("CONFIRMATION_NEEDED", `This would ask: ${question}`, { hint: "Add --yes." });
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `));
}

/** Whether a person sits at the other end. */
export function canAsk(cli: Cli): boolean {
  return !cli.json && process.stdin.isTTY && cli.err.canRedraw;
}

/** One line from the terminal; an empty one at its end. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    return (await Promise.race([terminal.question(question), closed])).trim();
  } finally {
    terminal.close();
  }
}
