import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The repository's guardrails. */
export const guardrails = fileURLToPath(new URL("../../../guardrails", import.meta.url));

/** The program `opa`; null where there is none. */
export const opa =
  process.env["HELIX_OPA"] ??
  (process.env["PATH"] ?? "")
    .split(":")
    .map((folder) => join(folder, "opa"))
    .find((file) => existsSync(file)) ??
  null;

const run = promisify(execFile);

/** What the program said, whatever it ended with. */
export async function runOpa(
  args: readonly string[],
  { cwd = guardrails }: { cwd?: string } = {},
): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await run(opa!, [...args], { cwd, maxBuffer: 256 * 2 ** 20 });
    return { ok: true, stdout, stderr };
  } catch (error) {
    const { stdout = "", stderr = String(error) } = error as { stdout?: string; stderr?: string };
    return { ok: false, stdout, stderr };
  }
}
