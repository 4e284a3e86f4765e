import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";
import type { Figure } from "./frame/figure.ts";
import { compare, interleave, timed } from "./frame/measure.ts";
import { nullProject } from "./support/null-project.ts";
import { openBenchPlane } from "./support/plane.ts";

const RAW = fileURLToPath(new URL("support/raw-api.ts", import.meta.url));
const EACH = 20;

/** The list of deployments, asked for while deploys run: of the plane, and of a bare Fastify with the same query on the same database. */
export const figure: Figure = {
  title: "The API while deploys run",
  goal: "p99 at most twice that of a bare Fastify with the same query",
  rounds: 20,
  async run({ rounds, note, database }) {
    const plane = await openBenchPlane();
    const url = await plane.databaseUrl();
    const raw = spawn(process.execPath, [...process.execArgv, RAW], {
      env: { ...process.env, DATABASE_URL: url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let isOver = false;
    try {
      await database(url);
      const [port] = (await once(raw.stdout, "data")) as [Buffer];
      const project = await nullProject(plane);
      const deploys = [0, 1].map(async (lane) => {
        for (let i = 0; !isOver; i++) await plane.live(await project.ask(`lane-${lane}`, `round ${i}`));
      });
      const many = async (ask: () => Promise<unknown>) => {
        const times: number[] = [];
        for (let i = 0; i < EACH; i++) times.push(await timed(ask));
        return times;
      };
      const measured = await interleave(rounds + 2, {
        helix: () => many(() => plane.request("GET", "/v1/deployments?limit=50")),
        raw: () => many(() => get(`http://127.0.0.1:${port.toString().trim()}/deployments`, agent)),
      });
      isOver = true;
      await Promise.all(deploys);
      note(
        "alone, a list takes some 1.4 ms, of which 1.1 are its two queries; the rest of what is measured here is waiting: the API shares its process with the worker whose deploys " +
          "run meanwhile, and the bare Fastify has one of its own. A worker in a process of its own would take that away",
      );
      const sides = { unit: "ms", helix: measured.helix.slice(2), peer: measured.raw.slice(2), against: "bare Fastify" };
      return [
        compare({ ...sides, name: "list of 50, p50" }),
        compare({ ...sides, name: "list of 50, p99", share: 0.99 }, { of: "ratio", most: 2 }),
      ];
    } finally {
      isOver = true;
      agent.destroy();
      raw.kill();
      await plane.remove();
    }
  },
};

function get(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent }, (response) => void response.resume().on("end", resolve).on("error", reject));
    asked.on("error", reject).end();
  });
}
