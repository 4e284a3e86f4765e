import type { Command } from "commander";
import { action } from "../action.ts";
import { openSession } from "../plane/session.ts";

export function define(command: Command): void {
  command.argument("<deployment>", "its id").action(
    action(async (cli, { args: [id] }) => {
      const { api } = await openSession(cli, { start: "none" });
      const deployment = await api.cancel(id!);
      cli.result({ deployment }, () => `${deployment.id} ${deployment.status}`);
      if (deployment.status !== "cancelled") cli.note(`  It is being undone: helix status --wait ${deployment.id}`);
    }),
  );
}
