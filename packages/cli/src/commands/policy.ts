import type { Command } from "commander";
import { action } from "../action.ts";
import type { BacktestOptions } from "../policy/backtest.ts";
import type { BuildOptions } from "../policy/build.ts";
import type { WaiveOptions } from "../policy/waive.ts";

/** One file a subcommand in `policy/`, loaded when it is asked for. */
export function define(command: Command): void {
  command
    .command("init")
    .description("write a pack with one rule and its test")
    .argument("[folder]", "where (default: policy)")
    .action(action(async (cli, { args: [folder] }) => (await import("../policy/init.ts")).initPack(cli, folder ?? "policy")));
  command
    .command("test")
    .description("run the tests of a pack with opa, and say what they do not reach")
    .argument("[folder]", "the pack (default: policy)")
    .action(action(async (cli, { args: [folder] }) => (await import("../policy/test.ts")).testPack(cli, folder ?? "policy")));
  command
    .command("build")
    .description("compile and sign a pack")
    .argument("[folder]", "the pack (default: policy)")
    .option("-o, --output <file>", "the bundle (default: <name>.tar.gz)")
    .option("--name <name>", "the pack's name (default: the folder's)")
    .option("--pack-version <version>", "its version (default: the time)")
    .option("--expires <span>", "refuse it after this time, like 90d")
    .option("--key <file>", "private key to sign with (default: one of this home, made on first use)")
    .option("--install", "put it into this home, where it decides from the next deploy on")
    .action(
      action<BuildOptions>(async (cli, { args: [folder], options }) =>
        (await import("../policy/build.ts")).buildPack(cli, folder ?? "policy", options),
      ),
    );
  command
    .command("ls")
    .description("the packs in force, their rules, and waivers")
    .action(action(async (cli) => (await import("../policy/ls.ts")).listPolicies(cli)));
  command
    .command("explain")
    .description("why a deployment was refused, rule by rule, and what to do")
    .argument("[deployment]", "its id (default: the last one)")
    .action(action(async (cli, { args: [deployment] }) => (await import("../policy/explain.ts")).explainDecision(cli, deployment)));
  command
    .command("backtest")
    .description("ask a new pack about past deployments")
    .argument("<pack>", "a .rego file, a folder or a bundle")
    .option("--last <count>", "how many deployments", "200")
    .option("--project <name>", "only this project's")
    .action(
      action<BacktestOptions>(async (cli, { args: [pack], options }) =>
        (await import("../policy/backtest.ts")).backtestPack(cli, pack!, options),
      ),
    );
  command
    .command("waive")
    .description("let deployments of others pass a soft-mandatory rule for a while")
    .argument("<rule>", "the rule, as findings name it")
    .requiredOption("--reason <text>", "why; it is kept with every decision that it changes")
    .requiredOption("--for <span>", "how long, like 24h; 30d at most")
    .option("--project <name>", "the project (default: that of helix.yaml)")
    .option("-e, --environment <name>", "only this environment (default: all)")
    .option("--path <path>", "only this path in the input and what is below it")
    .action(
      action<WaiveOptions>(async (cli, { args: [rule], options }) => (await import("../policy/waive.ts")).waive(cli, rule!, options)),
    );
}
