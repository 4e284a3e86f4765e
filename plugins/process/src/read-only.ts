import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
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

const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
// It gets its script on standard input, since the user may not reach the file.
const WITH_ENVIRONMENT = ["/bin/sh", "-s", "--"];
// By path: what runs as root is looked up in no search path that an application could have a say in.
const UNSHARE = systemProgram("unshare");
const SETPRIV = systemProgram("setpriv");

/**
 * The launcher that makes `folder` read-only for a command: a bind mount in a mount namespace of its own. An ordinary user needs a user
 * namespace for that, and is the same user again when the command begins. `user`: whom root becomes then. Only after that the command's
 * environment is set.
 */
export function readOnly({ folder, user }: { readonly folder: string; readonly user: User | null }): string[] {
  const { uid, gid } = engineUser();
  const inside = ["--mount", "--propagation", "private", "--", SCRIPT, folder];
  if (uid === 0) return [UNSHARE, ...inside, ...(user === null ? [] : become(user)), ...WITH_ENVIRONMENT];
  const back = [UNSHARE, "--user", `--map-user=${uid}`, `--map-group=${gid}`, "--"];
  return [UNSHARE, "--user", "--map-root-user", ...inside, ...back, ...WITH_ENVIRONMENT];
}

/** The mount needs root, so the change of user comes after it. */
function become({ uid, gid }: User): string[] {
  return [SETPRIV, `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs", "--"];
}

function systemProgram(name: string): string {
  const paths = SYSTEM_FOLDERS.map((folder) => join(folder, name));
  return paths.find((path) => existsSync(path)) ?? paths[0]!;
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
    const [program, ...args] = [...readOnly({ folder, user: null }), "test", "!", "-w", "."];
    await run(program!, args, { timeout: 5000, env: { PATH: SYSTEM_FOLDERS.join(":") } });
    return null;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return stderr?.trim() || message;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
