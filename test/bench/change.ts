import { type SpawnSyncReturns, execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { Figure } from "./frame/figure.ts";
import { alone, compare, interleave } from "./frame/measure.ts";
import { type Address, BESIDE_ANOTHER, keepAsking, until } from "./support/http.ts";
import { type BenchPlane, openBenchPlane } from "./support/plane.ts";

const run = promisify(execFile);
const serverOf = (text: string) =>
  `require("node:http").createServer((_, response) => response.end(${JSON.stringify(text)})).listen(process.env.PORT ?? 8080);\n`;

/** One file of an application is changed: until its new text is answered, by `helix deploy`, by a script around docker, and by compose. */
export const figure: Figure = {
  title: "Change one file, to the first 200",
  goal: "at most 0.45 times a script of build, rm and run, and 0.25 times compose, with no request lost",
  rounds: 10,
  async run({ rounds, note, database }) {
    const plane = await openBenchPlane();
    const folder = await mkdtemp(join(tmpdir(), "helix-change-"));
    const docker = dockerSide(folder);
    try {
      await database(await plane.databaseUrl());
      const { deploy, address, base } = await helixSide(plane, folder);
      await docker.prepare(base);
      const hasCompose = spawnSync("docker-compose", ["version"]).status === 0;
      if (!hasCompose) note("compose was not measured: docker-compose is not on the PATH");
      const asked = { asked: 0, failed: 0 };
      const measured = await interleave(rounds + 1, {
        helix: (round) => deploy(`round ${round}`),
        // A deploy of its own: the peers have no other clients while they are measured.
        asked: async (round) => {
          const clients = keepAsking(address);
          const ms = await deploy(`asked ${round}`);
          const { asked: all, failed } = await clients.stop();
          asked.asked += all;
          asked.failed += failed;
          return ms;
        },
        script: (round) => docker.script(`script ${round}`),
        compose: (round) => (hasCompose ? docker.compose(`compose ${round}`) : Promise.resolve(Number.NaN)),
      });
      const [helix, script, compose] = [measured.helix, measured.script, measured.compose].map((all) => all.slice(1)) as [
        number[][],
        number[][],
        number[][],
      ];
      note(
        "of helix, the start of the command line and of the new container, which is made, filled and started while the old one serves, are most; " +
          "the script pays for neither a second container nor a health check, and loses what is asked between rm and run. A command line that is not a start of Node, and an image that is made while its container starts, would take away most of what is above the container's own start",
      );
      const name = "change to first 200, p50";
      return [
        compare({ name, unit: "ms", helix, peer: script, against: "docker build, rm -f, run" }, { of: "ratio", most: 0.45 }),
        ...(hasCompose
          ? [compare({ name, unit: "ms", helix, peer: compose, against: "docker-compose up --build" }, { of: "ratio", most: 0.25 })]
          : []),
        alone({ name: "requests lost while it was deployed", unit: "", n: asked.asked, value: asked.failed }, { of: "helix", most: 0 }),
      ];
    } finally {
      docker.remove();
      await plane.remove();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function helixSide(plane: BenchPlane, folder: string) {
  const project = "change";
  const manifest = {
    project,
    services: { web: { source: ".", build: "node", runtime: "docker", start: "node server.js", drain: "1s" } },
    rollback: { keep: 0, for: "1s" },
  };
  await writeFile(join(folder, "package.json"), "{}");
  await writeFile(join(folder, "helix.yaml"), JSON.stringify(manifest));
  const deploy = async (text: string, address?: Address) => {
    await writeFile(join(folder, "server.js"), serverOf(text));
    const began = performance.now();
    const deploying = plane.helix(["deploy"], { cwd: folder });
    if (address) await until(address, text, { pauseMs: BESIDE_ANOTHER });
    const ms = performance.now() - began;
    const { exit, json, stderr } = await deploying;
    if (exit !== 0) throw new Error(`helix deploy: ${stderr}`);
    await plane.settled(project);
    return { ms, json };
  };
  const { json } = await deploy("first");
  const address = json.services[0].address as Address;
  const { stdout } = await run("docker", ["ps", "--filter", `label=helix.project=${project}`, "--format", "{{.Image}}"]);
  return { address, base: stdout.trim().split("\n")[0]!, deploy: async (text: string) => (await deploy(text, address)).ms };
}

/** The same application in a container of its own, on a published port, as people do it by hand. */
function dockerSide(folder: string) {
  const name = basename(folder).toLowerCase();
  const [script, compose]: Address[] = [18_471, 18_472].map((port) => ({ host: "127.0.0.1", port }));
  const docker = (...argv: string[]) => run("docker", argv, { cwd: folder });
  const remove = (): SpawnSyncReturns<Buffer>[] => [
    spawnSync("docker", ["rm", "-f", name], { stdio: "ignore" }),
    spawnSync("docker-compose", ["-p", name, "down", "--rmi", "all"], { cwd: folder, stdio: "ignore" }),
  ];
  return {
    async prepare(base: string) {
      await writeFile(
        join(folder, "Dockerfile"),
        `FROM ${base}\nWORKDIR /app\nCOPY package.json server.js ./\nCMD ["node", "server.js"]\n`,
      );
      const service = { build: ".", init: true, ports: [`127.0.0.1:${compose!.port}:8080`] };
      await writeFile(join(folder, "docker-compose.yml"), JSON.stringify({ version: "3.7", services: { web: service } }));
    },
    async script(text: string) {
      await writeFile(join(folder, "server.js"), serverOf(text));
      const began = performance.now();
      await docker("build", "-q", "-t", name, ".");
      await docker("rm", "-f", name).catch(() => undefined);
      await docker("run", "-d", "--init", "--name", name, "-p", `127.0.0.1:${script!.port}:8080`, name);
      await until(script!, text);
      return performance.now() - began;
    },
    async compose(text: string) {
      await writeFile(join(folder, "server.js"), serverOf(text));
      const began = performance.now();
      await run("docker-compose", ["-p", name, "up", "-d", "--build"], { cwd: folder });
      await until(compose!, text);
      return performance.now() - began;
    },
    remove,
  };
}
