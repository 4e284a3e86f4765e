import type { Command } from "commander";

/** What a file in `commands/` exports. */
interface CommandModule {
  /** Gives the command its arguments, options and action. */
  readonly define: (command: Command) => void;
}

/** One command as the help lists it. Its module is loaded only when it is asked for. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** In the order in which people meet them. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: "init", summary: "look at the folder and write helix.yaml", load: () => import("./commands/init.ts") },
  { name: "plan", summary: "show what a deploy would change; changes nothing", load: () => import("./commands/plan.ts") },
  { name: "deploy", summary: "build, check, start, switch; print the URL", load: () => import("./commands/deploy.ts") },
  { name: "dev", summary: "deploy on each save and follow the logs", load: () => import("./commands/dev.ts") },
  { name: "status", summary: "what runs, where it answers, and the local plane", load: () => import("./commands/status.ts") },
  { name: "ls", summary: "list deployments, or projects outside of one", load: () => import("./commands/ls.ts") },
  { name: "inspect", summary: "all that is known of one deployment", load: () => import("./commands/inspect.ts") },
  { name: "logs", summary: "what a service says", load: () => import("./commands/logs.ts") },
  { name: "rollback", summary: "list earlier releases, or go back to one", load: () => import("./commands/rollback.ts") },
  { name: "secrets", summary: "set, list, rotate and remove secrets", load: () => import("./commands/secrets.ts") },
  { name: "env", summary: "bring a .env file up, or down", load: () => import("./commands/env.ts") },
  { name: "cancel", summary: "cancel a deployment", load: () => import("./commands/cancel.ts") },
  { name: "destroy", summary: "remove an environment and all that it runs", load: () => import("./commands/destroy.ts") },
  { name: "server", summary: "run the local plane in the foreground", load: () => import("./commands/server.ts") },
  { name: "worker", summary: "run a worker in the foreground", load: () => import("./commands/worker.ts") },
  { name: "down", summary: "stop the local plane", load: () => import("./commands/down.ts") },
  { name: "backup", summary: "save what the local plane knows, while it works", load: () => import("./commands/backup.ts") },
  { name: "restore", summary: "put a backup in the place of what it knows", load: () => import("./commands/restore.ts") },
  { name: "token", summary: "create, list and revoke tokens", load: () => import("./commands/token.ts") },
  { name: "policy", summary: "write, test, build, explain and try out policies", load: () => import("./commands/policy.ts") },
  { name: "doctor", summary: "check the machine and the plane", load: () => import("./commands/doctor.ts") },
  { name: "explain", summary: "what an error code means and what to do", load: () => import("./commands/explain.ts") },
];

/** Options of `helix` itself, which every command takes as well. */
export const GLOBAL_OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ["--json", "print one JSON document (one a line for commands that follow)"],
  ["-C, --cwd <folder>", "work as if started in this folder"],
  ["--no-color", "no colours"],
];
