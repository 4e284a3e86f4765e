import { EngineError } from "@helixstack/core/client";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { complaintOf, runOpa } from "./opa-program.ts";
import type { PackSource } from "./pack-source.ts";

/** What stands in the bundle's manifest. */
export interface PackMark {
  readonly name: string;
  readonly version: string;
  readonly serial: number;
  readonly issuedAt: string;
  readonly expiresAt?: string;
}

/** Compiles a pack into a bundle, signed when there is a key. Rejects with `POLICY_INVALID`. */
export async function compilePack(
  source: PackSource,
  { opa, mark, key }: { readonly opa: string; readonly mark: PackMark; readonly key: string | null },
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "helix-policy-"));
  try {
    const bundle = join(folder, "bundle");
    await copyPack(source, { bundle, mark });
    const output = join(folder, "bundle.tar.gz");
    const args = [
      ...["build", "-t", "wasm", "-b", ".", "-o", output],
      ...source.entrypoints.flatMap((entrypoint) => ["-e", entrypoint]),
      ...(source.isV0 ? ["--v0-compatible"] : []),
      ...(key === null ? [] : ["--signing-key", key, "--signing-alg", "ES256"]),
    ];
    const run = await runOpa(opa, args, { cwd: bundle });
    if (!run.ok) throw new EngineError("POLICY_INVALID", `opa cannot build it:\n${complaintOf(run)}`);
    return await readFile(output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copyPack({ folder, files, isV0 }: PackSource, { bundle, mark }: { bundle: string; mark: PackMark }): Promise<void> {
  await mkdir(bundle);
  for (const file of files) await copyFile(join(folder, file), join(bundle, file));
  const manifest = { revision: mark.version, roots: [""], rego_version: isV0 ? 0 : 1, metadata: { helix: mark } };
  await writeFile(join(bundle, ".manifest"), JSON.stringify(manifest));
}
