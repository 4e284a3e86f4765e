import { EngineError } from "@helixstack/core/client";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Cli } from "../cli.ts";

const OUTPUT_LIMIT = 64 * 2 ** 20;

/** The program `opa`: `HELIX_OPA`, else on PATH. Throws `OPA_MISSING`, which says how to get it. */
export function findOpa({ env }: Pick<Cli, "env">): string {
  const named = env["HELIX_OPA"];
  if (named) {
    if (existsSync(named)) return named;
    throw new EngineError("OPA_MISSING", `HELIX_OPA names ${named}, which is not there.`);
  }
  const found = (env["PATH"] ?? "")
    .split(":")
    .map((folder) => join(folder, "opa"))
    .find((file) => existsSync(file));
  if (found) return found;
  throw new EngineError("OPA_MISSING", "Policies are compiled and tested by the program `opa`, which is not on PATH.");
}

export interface OpaRun {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end. */
export function runOpa(opa: string, args: readonly string[], { cwd }: { readonly cwd: string }): Promise<OpaRun> {
  return new Promise((resolve) => {
    execFile(opa, [...args], { cwd, maxBuffer: OUTPUT_LIMIT }, (error, stdout, stderr) =>
      resolve({ ok: error === null, stdout, stderr: stderr || (error?.message ?? "") }),
    );
  });
}

/** What went wrong, without the noise around it. */
export function complaintOf({ stdout, stderr }: OpaRun): string {
  return [stderr, stdout].find((text) => text.trim() !== "")?.trim() ?? "opa says nothing";
}
