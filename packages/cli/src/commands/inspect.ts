import type { Command } from "commander";
import { action } from "../action.ts";
import { inspectText } from "../output/inspect-text.ts";
import { openSession } from "../plane/session.ts";

export function define(command: Command): void {
  command.argument("<deployment>", "its id").action(
    action(async (cli, { args: [id] }) => {
      const { api } = await openSession(cli, { start: "none" });
      const deployment = await api.deployment(id!);
      cli.result({ deployment }, () => inspectText(deployment, cli.colors));
    }),
  );
}
