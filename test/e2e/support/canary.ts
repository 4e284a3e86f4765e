import { randomBytes } from "node:crypto";
import { readFile, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import { baseImage } from "./base-image.ts";
import { type Plane, eventually, get, makeProject } from "./plane.ts";

/** Prints what it was given, as careless programs do, where it is loud. In a container it is not: Docker's own log files are not ours to mask. */
const server = (isLoud: boolean) => `
  const http = require("node:http");
  const loud = ${isLoud};
  const password = process.env.PASSWORD ?? require("node:fs").readFileSync(process.env.SECRETS_DIR + "/PASSWORD", "utf8");
  if (loud) console.log("starting", password, Buffer.from("x" + password).toString("base64"), JSON.stringify(process.env));
  http.createServer((req, res) => {
    if (req.url === "/crash") { if (loud) console.error("crash " + password); process.exit(3); }
    res.end(String(password.length));
  }).listen(process.env.PORT);
`;
/** Prints the secret that it builds with. A Dockerfile's is mounted. */
const build = (exit: number) => `
  const token = process.env.BUILD_TOKEN ?? require("node:fs").readFileSync("/run/secrets/BUILD_TOKEN", "utf8");
  require("node:fs").writeFileSync("built.txt", "built");
  console.log("building with", token, encodeURIComponent(token));
  process.exit(${exit});
`;
const dockerfile = (base: string) => `FROM ${base}
ARG BUILD_TOKEN
WORKDIR /srv
COPY server.js build.js ./
RUN --mount=type=secret,id=BUILD_TOKEN node build.js
CMD ["node", "server.js"]
`;

/** What a canary's life leaves to be searched. */
export interface CanaryLife {
  readonly project: string;
  readonly values: readonly string[];
  /** Output of every command, and every answer of the API. */
  readonly texts: Readonly<Record<string, string>>;
  readonly remove: () => Promise<void>;
  /** Destroys the environment and the secrets. */
  readonly end: () => Promise<void>;
}

export interface CanaryOptions {
  readonly runtime: string;
  /** Default: `node`. */
  readonly builder?: "node" | "dockerfile";
  /** Whether the application prints what it was given. */
  readonly isLoud?: boolean;
  /** No rotation and no rollback. */
  readonly isShort?: boolean;
}

/** One secret through import, a failing build, a deploy, a crash, a rotation, a second deploy and a rollback. */
export async function liveAsCanary(
  plane: Plane,
  { runtime, builder = "node", isLoud = runtime === "process", isShort = false }: CanaryOptions,
): Promise<CanaryLife> {
  const isImage = builder === "dockerfile";
  const project = `canary-${runtime}-${randomBytes(3).toString("hex")}`;
  const values = Array.from({ length: 3 }, () => `canary/${randomBytes(9).toString("base64url")}"&+`);
  const [first, build1, second] = values as [string, string, string];
  const app = await makeProject({
    "helix.yaml": `project: ${project}
services:
  web:
    build: ${builder}
    runtime: ${runtime}
    ${isImage ? "" : "start: node server.js"}
    secrets: [${isImage ? "" : "PASSWORD, "}{ name: BUILD_TOKEN, as: build }, { name: PASSWORD, as: file }]
`,
    ...(isImage && { Dockerfile: dockerfile(await baseImage()) }),
    "package.json": JSON.stringify({ scripts: { build: "node build.js" } }),
    "server.js": server(isLoud),
    "build.js": build(1),
    ".env": `PASSWORD='${first}'\nBUILD_TOKEN='${build1}'\n`,
  });
  const texts: Record<string, string> = {};
  const helix = async (args: readonly string[], input?: string) => {
    const run = await plane.helix(args, { cwd: app.folder, ...(input !== undefined && { input }) });
    texts[`${Object.keys(texts).length} helix ${args.join(" ")}`] = run.stdout + run.stderr;
    return run;
  };
  const deploy = async () => {
    const { json, stderr } = await helix(["deploy"]);
    if (!json.ok) throw new Error(`deploy failed: ${JSON.stringify(json.error)} ${stderr}`);
    return json.services[0].address as { host: string; port: number };
  };
  await helix(["env", "push"]);
  const failed = await helix(["deploy"]);
  if (failed.json.error?.code !== "BUILD_FAILED") throw new Error(`the build was to fail: ${failed.stdout}`);
  await app.write("build.js", build(0));
  const address = await deploy();
  await get(address, "/crash").catch(() => undefined);
  await eventually("it is back", async () => (await get(address)).text, { holds: (text) => text === String(first.length) });
  if (!isShort) await rotateAndReturn();
  for (const args of [["logs"], ["status"], ["ls"], ["secrets", "ls"], ["secrets", "diff"], ["doctor"]]) await helix(args);
  Object.assign(texts, await apiAnswers(plane.home, { project, deployments: (await helix(["ls"])).json.deployments }));
  async function rotateAndReturn(): Promise<void> {
    await helix(["secrets", "rotate", "PASSWORD"], second);
    await helix(["plan"]);
    await deploy();
    const { json } = await helix(["rollback"]);
    const back = await helix(["rollback", json.candidates[0].release]);
    if (!back.json.ok) throw new Error(`rollback failed: ${back.stdout}`);
  }
  return {
    project,
    values,
    texts,
    async remove() {
      await app.remove();
      if (runtime === "docker") await removeFromDocker(project);
      // The home is gone without a destroy, which would have taken these along.
      for (const home of (await readdir("/dev/shm")).filter((name) => name.startsWith("helix-"))) {
        const names = await readdir(join("/dev/shm", home)).catch(() => []);
        for (const name of names.filter((one) => one.includes(project)))
          await rm(join("/dev/shm", home, name), { recursive: true, force: true });
        await rmdir(join("/dev/shm", home)).catch(() => undefined);
      }
    },
    async end() {
      await helix(["destroy", "--yes", "--with-data"]);
      for (const name of ["PASSWORD", "BUILD_TOKEN"]) await helix(["secrets", "rm", name, "--yes"]);
    },
  };
}

/** The home goes without a destroy: its containers, and the images that it built, would stay. */
async function removeFromDocker(project: string): Promise<void> {
  const docker = new Docker({ socketPath: "/var/run/docker.sock" });
  for (const { Id } of await docker.listContainers({ all: true, filters: { label: [`helix.project=${project}`] } }))
    await docker.getContainer(Id).remove({ force: true, v: true }).catch(gone);
  for (const { Id } of await docker.listImages({ filters: { reference: [`helix/${project}-web`] } }))
    await docker.getImage(Id).remove({ force: true }).catch(gone);
}

function gone(): void {}

/** What the API tells whoever asks for everything. */
async function apiAnswers(
  home: string,
  { project, deployments }: { readonly project: string; readonly deployments: readonly { id: string }[] },
) {
  const { url } = JSON.parse(await readFile(join(home, "run/control.json"), "utf8")) as { url: string };
  const token = (await readFile(join(home, "keys/local-token"), "utf8")).trim();
  const environment = `/v1/projects/${project}/environments/production`;
  const paths = [
    ...["environments", "deployments", "tokens", "plugins", "principal", "plane", "secret-store"].map((one) => `/v1/${one}`),
    ...["status", "releases", "candidates", "stats", "secrets", "secrets/events"].map((one) => `${environment}/${one}`),
    ...deployments.flatMap(({ id }) => ["", "/result", "/logs", "/events"].map((one) => `/v1/deployments/${id}${one}`)),
    "/metrics",
  ];
  const answers = await Promise.all(
    paths.map(async (path) => {
      const signal = AbortSignal.timeout(3_000);
      const text = await fetch(url + path, {
        headers: { authorization: `Bearer ${token}`, accept: "application/json, application/x-ndjson" },
        signal,
      })
        .then((answer) => answer.text())
        .catch(() => "");
      return [`GET ${path}`, text] as const;
    }),
  );
  return Object.fromEntries(answers);
}
