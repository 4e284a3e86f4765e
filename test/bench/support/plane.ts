import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ledgerUrl } from "../../e2e/support/ledger.ts";
import { makePlane } from "../../e2e/support/plane.ts";
import { giveOwnPorts } from "../../support/own-ports.ts";
import { storeSource } from "../../support/source.ts";

/** A local plane of its own for one figure, driven through its API over kept connections. */
export interface BenchPlane {
  readonly home: string;
  /** The file that its processes write the time of each call into. */
  readonly trace: string;
  readonly databaseUrl: () => Promise<string>;
  readonly request: <T>(method: string, path: string, body?: unknown) => Promise<T>;
  /** Stores the files of a source; answers with its digest. */
  readonly snapshot: (files: Readonly<Record<string, string>>) => Promise<string>;
  /** Asks for a deployment; answers with its id as soon as it is recorded. */
  readonly create: (body: object) => Promise<string>;
  /** The deployment's result document, when it has ended as `live`. */
  readonly live: (deployment: string) => Promise<Deployed>;
  /** Until nothing is starting, draining or being retired any more. */
  readonly settled: (project: string) => Promise<void>;
  readonly helix: Awaited<ReturnType<typeof makePlane>>["helix"];
  readonly remove: () => Promise<void>;
}

/** What a deployment came to. */
export interface Deployed {
  readonly deployment: { readonly id: string; readonly status: string; readonly noChange: boolean };
  readonly release: { readonly id: string };
  readonly services: readonly { readonly name: string; readonly address: { readonly host: string; readonly port: number } }[];
}

export async function openBenchPlane(env: Readonly<Record<string, string>> = {}): Promise<BenchPlane> {
  const folder = await mkdtemp(join(tmpdir(), "helix-trace-"));
  const trace = join(folder, "trace.ndjson");
  const plane = await makePlane({ HELIX_TRACE: trace, ...env });
  await giveOwnPorts(plane.home);
  const started = await plane.helix(["server", "--detach"]);
  if (started.exit !== 0) throw new Error(`the plane did not start: ${started.stderr}`);
  const agent = new Agent({ keepAlive: true });
  const control = JSON.parse(await readFile(join(plane.home, "run/control.json"), "utf8")) as { url: string };
  const token = (await readFile(join(plane.home, "keys/local-token"), "utf8")).trim();
  const ask = <T>(method: string, path: string, body?: unknown) => send<T>({ url: `${control.url}${path}`, agent, token, method, body });
  return {
    home: plane.home,
    trace,
    helix: plane.helix,
    request: ask,
    databaseUrl: () => ledgerUrl(plane.home),
    snapshot: (files) => storeSource(ask, files),
    create: async (body) => (await ask<{ id: string }>("POST", "/v1/deployments", body)).id,
    async live(deployment) {
      for (;;) {
        const { status, error } = await ask<{ status: string; error: unknown }>("GET", `/v1/deployments/${deployment}`);
        if (status === "live") return ask<Deployed>("GET", `/v1/deployments/${deployment}/result`);
        if (["failed", "cancelled", "superseded"].includes(status)) throw new Error(`${deployment} ${status}: ${JSON.stringify(error)}`);
        await sleep(60);
      }
    },
    async settled(project) {
      for (;;) {
        const { json } = await plane.helix(["status", "--project", project]);
        const states: string[] = json.services.flatMap((service: any) => service.revisions.map((revision: any) => revision.state));
        if (!states.some((state) => state === "draining" || state === "starting" || state === "retiring")) return;
        await sleep(100);
      }
    },
    async remove() {
      await destroyAll(plane).catch(() => undefined);
      agent.destroy();
      await plane.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a figure deployed is not left on the machine. */
async function destroyAll(plane: Pick<BenchPlane, "helix">): Promise<void> {
  const { json } = await plane.helix(["ls"]);
  for (const { project } of json.environments as readonly { project: string }[])
    await plane.helix(["destroy", "--yes", "--with-data", "--project", project]);
}

interface Sending {
  readonly url: string;
  readonly agent: Agent;
  readonly token: string;
  readonly method: string;
  readonly body: unknown;
}

function send<T>({ url, agent, token, method, body }: Sending): Promise<T> {
  const isRaw = body instanceof Buffer;
  const payload = body === undefined ? undefined : isRaw ? body : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(payload !== undefined && {
      "content-type": isRaw ? "application/octet-stream" : "application/json",
      "content-length": Buffer.byteLength(payload),
    }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) < 300) resolve((text === "" ? undefined : JSON.parse(text)) as T);
        else reject(new Error(`${method} ${url} answered ${response.statusCode}: ${text}`));
      });
    });
    asked.on("error", reject).end(payload);
  });
}
