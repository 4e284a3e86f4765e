import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PluginError, type PluginContext } from "@helixstack/sdk";
import { engineUser } from "@helixstack/sdk/exec";
import type { Config } from "./config.ts";
import type { User } from "./user.ts";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("../scripts/read-only.sh", import.meta.url));

/**
 * Puts in front of a command what makes `folder` read-only for it: a bind mount in a mount namespace of its own. An ordinary user
 * needs a user namespace for that, and is the same user again when the command begins. `user`: whom root becomes then.
 */
export function readOnly(command: readonly string[], { folder, user }: { readonly folder: string; readonly user: User | null }): string[] {
  const { uid, gid } = engineUser();
  const inside = ["--mount", "--propagation", "private", "--", SCRIPT, folder];
  if (uid === 0) return ["unshare", ...inside, ...(user === null ? [] : become(user)), ...command];
  const back = ["unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`, "--"];
  return ["unshare", "--user", "--map-root-user", ...inside, ...back, ...command];
}

/** The mount needs root, so the change of user comes after it. */
function become({ uid, gid }: User): string[] {
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs", "--"];
}

let probe: Promise<string | null> | null = null;

/** Fails with `UNSUPPORTED` where this machine does not let us make a folder read-only. Tried once, not guessed. */
export async function requireReadOnly(ctx: PluginContext<Config>): Promise<void> {
  probe ??= tryOut(join(ctx.home, `probe-${process.pid}`));
  const fault = await probe;
  if (fault === null) return;
  throw new PluginError("UNSUPPORTED", `filesystem: read-only needs a mount namespace, which this machine refuses: ${fault}`, {
    hint: "Allow unprivileged user namespaces, run HelixStack as root, or use `runtime: docker`.",
  });
}

async function tryOut(folder: string): Promise<string | null> {
  try {
    await mkdir(folder, { recursive: true });
    const command = ["test", "!", "-w", "."];
    const [program, ...args] = readOnly(command, { folder, user: null });
    await run(program!, args, { timeout: 5000 });
    return null;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return stderr?.trim() || message;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
