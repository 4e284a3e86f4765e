import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure } from "./frame/figure.ts";
import { compare, interleave, median, timed } from "./frame/measure.ts";
import { openBenchPlane } from "./support/plane.ts";
import { type Span, spansBetween } from "./support/spans.ts";

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
      const windows: Window[] = [];
      const measured = await interleave(rounds + 2, {
        node: () => time(["-e", "0"]),
        help: () => time([helixBin, "--help"]),
        status: () => time([helixBin, "status", "--json"]),
        nochange: async () => {
          const from = performance.timeOrigin + performance.now();
          const ms = await time([helixBin, "deploy", "--json"]);
          windows.push({ from, to: from + ms });
          return ms;
        },
      });
      note(await whereItGoes(plane.trace, windows.slice(2)));
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

/** When a command ran, milliseconds since 1970. */
interface Window {
  readonly from: number;
  readonly to: number;
}

/** What a deploy without a change is made of, by the plane's own trace. */
async function whereItGoes(trace: string, windows: readonly Window[]): Promise<string> {
  const parts = await Promise.all(
    windows.map(async ({ from, to }) => {
      const spans = await spansBetween(trace, { from, to });
      const asked = spans.find(({ name }) => name === "ledger.authenticate")?.at ?? from;
      const recorded = endOf(spans, "ledger.createDeployment");
      const decided = endOf(spans, "ledger.commit");
      return [asked - from, recorded - asked, decided - recorded, to - decided];
    }),
  );
  const [start, record, decide, tell] = [0, 1, 2, 3].map((at) => median(parts.map((one) => one[at]!)).toFixed(0));
  return (
    `of a deploy without a change ${start} ms are the start of Node and of the command, until the plane is asked; ${record} ms until the deployment is recorded, the source ` +
    `listed and the plane awake; ${decide} ms until its verdict is on disk; ${tell} ms until that is told and the process has ended. ` +
    "A command that is no start of Node would take away the most, a verdict that is recorded together with what was asked for the second most"
  );
}

function endOf(spans: readonly Span[], name: string): number {
  const { at, ms } = spans.find((span) => span.name === name) ?? { at: Number.NaN, ms: 0 };
  return at + ms;
}

function finish(argv: readonly string[], { cwd, environment }: { cwd: string; environment: NodeJS.ProcessEnv }): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...argv], { cwd, env: environment, stdio: "ignore" });
    child.on("error", reject).on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${argv.join(" ")} ended with ${code}`))));
  });
}
