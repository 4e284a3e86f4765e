import { accessSync, constants, existsSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { Cli } from "../cli.ts";
import { bytes } from "../output/time.ts";
import { helixHome, isRemote } from "../plane/home.ts";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `note`: nothing is wrong, but people should know. */
  readonly state: "ok" | "failed" | "note" | "skipped";
  readonly says: string;
  /** One command that mends it; null where nothing is to be done. */
  readonly fix: string | null;
}

const ENOUGH_BYTES = 1e9;
const OLDEST_NODE = [20, 19] as const;

/** What can be seen without a control plane. */
export async function localChecks(cli: Cli): Promise<readonly Check[]> {
  const node = nodeCheck(process.versions.node);
  if (isRemote(cli.env)) return [node];
  const home = helixHome(cli.env);
  return [node, homeCheck(home), await diskCheck(home), await dockerCheck(cli.env), trustCheck()];
}

function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNewEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return {
    name: "node",
    state: isNewEnough ? "ok" : "failed",
    says: `Node ${version}`,
    fix: isNewEnough ? null : "install Node 20.19 or newer",
  };
}

function homeCheck(home: string): Check {
  const place = existing(home);
  try {
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return { name: "home", state: "failed", says: `${place} cannot be written to`, fix: `chown -R "$(id -un)" ${place}` };
  }
  if (place !== home) return { name: "home", state: "ok", says: `${home} (not made yet)`, fix: null };
  const keys = `${home}/keys`;
  if (existsSync(keys) && (statSync(keys).mode & 0o077) !== 0)
    return { name: "home", state: "failed", says: `others may enter ${keys}`, fix: `chmod 700 ${keys}` };
  return { name: "home", state: "ok", says: home, fix: null };
}

async function diskCheck(home: string): Promise<Check> {
  const { bavail, bsize } = await statfs(existing(home));
  const free = bavail * bsize;
  const isEnough = free >= ENOUGH_BYTES;
  return { name: "disk", state: isEnough ? "ok" : "failed", says: `${bytes(free)} free`, fix: isEnough ? null : `du -sh ${home}/data/*` };
}

/** Not having Docker is no fault: only the docker runtime and Dockerfiles need it. */
async function dockerCheck(env: Cli["env"]): Promise<Check> {
  const host = env["DOCKER_HOST"];
  if (host && !host.startsWith("unix://")) return { name: "docker", state: "skipped", says: `DOCKER_HOST is ${host}`, fix: null };
  const socket = host?.slice("unix://".length) ?? "/var/run/docker.sock";
  const problem = await connectProblem(socket);
  if (problem === null) return { name: "docker", state: "ok", says: `answers at ${socket}`, fix: null };
  if (problem === "EACCES")
    return { name: "docker", state: "note", says: `${socket} may not be used by this user`, fix: 'sudo usermod -aG docker "$(id -un)"' };
  return {
    name: "docker",
    state: "note",
    says: "not running; needed only by the docker runtime and Dockerfiles",
    fix: "sudo systemctl start docker",
  };
}

function connectProblem(socket: string): Promise<string | null> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => {
      connection.destroy();
      resolve(null);
    });
    connection.setTimeout(2000, () => {
      connection.destroy();
      resolve("ETIMEDOUT");
    });
    connection.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
  });
}

function trustCheck(): Check {
  const says =
    process.getuid?.() === 0
      ? "each service of the process runtime has a user id of its own, and so have the builds of each environment"
      : "builds, and applications of the process runtime, run as you: one trust domain, they can read each other's files";
  return { name: "trust", state: "note", says, fix: null };
}

/** The folder, or the nearest one above it that is there. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}
