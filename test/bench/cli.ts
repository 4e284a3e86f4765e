import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure } from "./frame/figure.ts";
import { compare, interleave, timed } from "./frame/measure.ts";
import { openBenchPlane } from "./support/plane.ts";

const helixBin = fileURLToPath(new URL("../../packages/cli/bin/helix.js", import.meta.url));

/** What a person waits for who types a command: its start, and a deploy that finds nothing to do. */
export const figure: Figure = {
  title: "The command line, and a deploy without a change",
  goal: "a start of 1.2 times `node -e 0`, a deploy without a change of 1.6 times",
  rounds: 30,
  async run({ rounds, note, database }) {
    const plane = await openBenchPlane();
    const folder = await mkdtemp(join(tmpdir(), "helix-nochange-"));
    try {
      await database(await plane.databaseUrl());
      await writeFile(join(folder, "package.json"), "{}");
      await writeFile(
        join(folder, "server.js"),
        `require("node:http").createServer((_, response) => response.end("ok")).listen(process.env.PORT);\n`,
      );
      const manifest = {
        project: "nochange",
        services: { web: { source: ".", build: "node", runtime: "process", start: "node server.js" } },
      };
      await writeFile(join(folder, "helix.yaml"), JSON.stringify(manifest));
      const first = await plane.helix(["deploy"], { cwd: folder });
      if (first.exit !== 0) throw new Error(`helix deploy: ${first.stderr}`);
      const again = await plane.helix(["deploy"], { cwd: folder });
      if (again.json.deployment.noChange !== true) throw new Error("a second deploy found something to do");
      note("without a change: this very call hashed the content, observed every unit and asked the policies");
      const environment = { ...process.env, HELIX_HOME: plane.home, NO_COLOR: "1" };
      const time = (argv: readonly string[]) => timed(() => finish(argv, { cwd: folder, environment }));
      const measured = await interleave(rounds + 2, {
        node: () => time(["-e", "0"]),
        help: () => time([helixBin, "--help"]),
        status: () => time([helixBin, "status", "--json"]),
        nochange: () => time([helixBin, "deploy", "--json"]),
      });
      const peer = measured.node.slice(2);
      const row = (name: string, helix: number[][], most?: number) =>
        compare(
          { name, unit: "ms", helix: helix.slice(2), peer, against: "node -e 0" },
          most === undefined ? undefined : { of: "ratio", most },
        );
      return [
        row("helix --help", measured.help, 1.2),
        row("helix status, which asks the plane", measured.status),
        row("helix deploy, nothing changed", measured.nochange, 1.6),
      ];
    } finally {
      await plane.remove();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function finish(argv: readonly string[], { cwd, environment }: { cwd: string; environment: NodeJS.ProcessEnv }): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...argv], { cwd, env: environment, stdio: "ignore" });
    child.on("error", reject).on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${argv.join(" ")} ended with ${code}`))));
  });
}
