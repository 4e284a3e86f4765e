import { EngineError } from "@helixstack/core/client";
import { readFile, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type OpaRun, complaintOf, runOpa } from "./opa-program.ts";

/** A pack as it is written: Rego files, and data. */
export interface PackSource {
  readonly folder: string;
  readonly name: string;
  /** Rego files that are no tests, and `data.json`, relative to the folder. */
  readonly files: readonly string[];
  readonly entrypoints: readonly string[];
  /** How it is asked: as conftest would, or as packs of HelixStack are. */
  readonly layout: "conftest" | "helix";
  /** Written before Rego v1. */
  readonly isV0: boolean;
}

/** Reads a folder, or one file, and finds what can be asked of it. Rejects with `POLICY_INVALID` for what does not compile. */
export async function readPackSource(path: string, { cwd, opa }: { readonly cwd: string; readonly opa: string }): Promise<PackSource> {
  const place = resolve(cwd, path);
  const found = await stat(place).catch(() => null);
  if (!found) throw new EngineError("USAGE", `There is no pack at ${path}.`, { hint: "Write one with `helix policy init`." });
  const folder = found.isDirectory() ? place : dirname(place);
  const files = found.isDirectory() ? (await readdir(place)).filter(isPart).toSorted() : [basename(place)];
  const rego = files.filter((file) => file.endsWith(".rego"));
  if (rego.length === 0)
    throw new EngineError("USAGE", `There is no .rego file in ${path}.`, { hint: "Write one with `helix policy init`." });
  const isV0 = await usesV0(opa, { folder, rego });
  const texts = await Promise.all(rego.map((file) => readFile(join(folder, file), "utf8")));
  const conftest = [...new Set(texts.flatMap(conftestEntrypoints))].toSorted();
  const own = [...new Set(texts.flatMap(ownEntrypoints))];
  const entrypoints = conftest.length > 0 ? conftest : own;
  if (entrypoints.length === 0) {
    throw new EngineError(
      "POLICY_INVALID",
      `${path} answers no question: it has no deny, violation or warn in package main, and no decision.`,
      {
        hint: "Add `deny contains message if { ... }` to package main.",
      },
    );
  }
  const name = basename(found.isDirectory() ? place : place.replace(/\.rego$/, ""));
  return { folder, name, files, entrypoints, layout: conftest.length > 0 ? "conftest" : "helix", isV0 };
}

function isPart(file: string): boolean {
  return (file.endsWith(".rego") && !file.endsWith("_test.rego")) || file === "data.json";
}

/** Rego v1 first. What compiles only with `--v0-compatible` is older. */
async function usesV0(opa: string, { folder, rego }: { folder: string; rego: readonly string[] }): Promise<boolean> {
  const now: OpaRun = await runOpa(opa, ["check", ...rego], { cwd: folder });
  if (now.ok) return false;
  const before = await runOpa(opa, ["check", "--v0-compatible", ...rego], { cwd: folder });
  if (before.ok) return true;
  throw new EngineError("POLICY_INVALID", `opa cannot compile it:\n${complaintOf(now)}`);
}

/** `deny`, `violation` and `warn` of package `main`, and names like `deny_latest`, as conftest reads them. */
function conftestEntrypoints(text: string): readonly string[] {
  if (packageOf(text) !== "main") return [];
  return [...text.matchAll(/^(?:deny|violation|warn)(?:_[A-Za-z0-9_]+)?(?=[\s[:]|$)/gm)].map(([name]) => `main/${name}`);
}

function ownEntrypoints(text: string): readonly string[] {
  const name = packageOf(text);
  return name !== null && /^decision(\s|:=)/m.test(text) ? [`${name.replaceAll(".", "/")}/decision`] : [];
}

function packageOf(text: string): string | null {
  return /^package\s+([A-Za-z0-9_.]+)/m.exec(text)?.[1] ?? null;
}
