import { EngineError } from "@helixstack/core/client";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Cli } from "../cli.ts";
import { Failure } from "../failure.ts";
import { columns } from "../output/table.ts";
import { complaintOf, findOpa, runOpa } from "./opa-program.ts";
import { readPackSource } from "./pack-source.ts";

interface TestResult {
  readonly name: string;
  readonly package: string;
  readonly fail?: boolean;
  readonly error?: { readonly message?: string };
  readonly location?: { readonly file: string; readonly row: number };
}

/** Runs the tests of a pack, then asks what they did not reach. */
export async function testPack(cli: Cli, path: string): Promise<void> {
  const opa = findOpa(cli);
  const { isV0 } = await readPackSource(path, { cwd: cli.cwd, opa });
  const cwd = resolve(cli.cwd, path);
  const files = (await readdir(cwd)).filter((file) => file.endsWith(".rego") || file === "data.json");
  const flags = ["test", "--format=json", ...(isV0 ? ["--v0-compatible"] : [])];
  const run = await runOpa(opa, [...flags, ...files], { cwd });
  if (!run.stdout.trim().startsWith("[")) {
    if (run.ok)
      throw new EngineError("POLICY_TESTS_FAILED", "There are no tests.", {
        hint: `Write rules whose names begin with test_ into ${join(path, "rules_test.rego")}.`,
      });
    throw new EngineError("POLICY_INVALID", `opa cannot run the tests:\n${complaintOf(run)}`);
  }
  const tests = (JSON.parse(run.stdout) as TestResult[]).map(({ name, package: of, fail, error, location }) => ({
    name: `${of.replace(/^data\./, "")}.${name}`,
    ok: !fail && !error,
    ...(location && { at: `${join(path, location.file)}:${location.row}` }),
  }));
  const coverage = await runOpa(opa, [...flags, "--coverage", ...files], { cwd });
  const percent = coverage.ok ? (JSON.parse(coverage.stdout) as { coverage: number }).coverage : null;
  const failed = tests.filter(({ ok }) => !ok);
  const document = { tests, passed: tests.length - failed.length, failed: failed.length, coverage: percent };
  if (failed.length > 0) {
    const names = failed.map(({ name, at }) => `${name}${at ? ` (${at})` : ""}`).join(", ");
    throw new Failure(new EngineError("POLICY_TESTS_FAILED", `${failed.length} of ${tests.length} tests failed: ${names}`), document);
  }
  cli.result(document, () => columns(tests.map(({ name }) => [cli.colors.green("ok"), name])));
  cli.note(`  ${tests.length} passed; they reach ${percent} % of the rules`);
}
