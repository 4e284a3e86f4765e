import type { Command } from "commander";
import { type Cli, type GlobalOptions, createCli } from "./cli.ts";

/** What was given on the command line. */
export interface Given<Options> {
  readonly args: readonly (string | undefined)[];
  readonly options: Options & GlobalOptions;
}

/**
 * A commander action from a function that knows nothing of commander. The function's number, if it gives one, is the exit code; errors go to
 * `failure.ts`.
 */
export function action<Options extends object>(
  run: (cli: Cli, given: Given<Options>) => Promise<number | void>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options: Options & GlobalOptions = command.optsWithGlobals();
    process.exitCode = (await run(createCli(options), { args: command.processedArgs as (string | undefined)[], options })) ?? 0;
  };
}
