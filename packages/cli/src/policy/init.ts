import { EngineError } from "@helixstack/core/client";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Cli } from "../cli.ts";

const RULES = `# Rules of this project or team, in the layout of conftest: \`deny\` and \`violation\` refuse, \`warn\` advises.
# \`input\` is the resolved manifest: helix.yaml with every default filled in.
package main

deny contains {"msg": message, "path": path, "fix": fix} if {
	some name, service in input.services
	service.replicas > 10
	message := sprintf("service %s asks for %d replicas", [name, service.replicas])
	path := sprintf("services.%s.replicas", [name])
	fix := "Ask for 10 or fewer."
}
`;

const TESTS = `package main_test

import data.main

test_ten_are_enough if count(main.deny) == 0 with input as {"services": {"web": {"replicas": 10}}}

test_eleven_are_too_many if count(main.deny) == 1 with input as {"services": {"web": {"replicas": 11}}}
`;

/** Writes a pack that can be tested and built as it is. What is there is not touched. */
export async function initPack(cli: Cli, path: string): Promise<void> {
  const folder = resolve(cli.cwd, path);
  await mkdir(folder, { recursive: true });
  const files = [
    [join(folder, "rules.rego"), RULES],
    [join(folder, "rules_test.rego"), TESTS],
  ] as const;
  for (const [file, text] of files) await write(file, text);
  cli.result({ folder, files: files.map(([file]) => file) }, () => folder);
  cli.note(`  next: helix policy test ${path}, helix policy build ${path}`);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw new EngineError("USAGE", `${file} is there already.`);
    throw error;
  }
}
