import { EngineError } from "@helixstack/core/client";
import { isAlive } from "@helixstack/supervisor";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { readText } from "../read-text.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The folder that holds everything of the local plane. Root's is outside of its home, which the database's user cannot enter. */
export function helixHome(env: Env): string {
  if (env["HELIX_HOME"]) return resolve(env["HELIX_HOME"]);
  return process.getuid?.() === 0 ? "/var/lib/helix" : join(homedir(), ".helix");
}

/** A control plane and how to speak to it. */
export interface Connection {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string | null;
}

/** True when `HELIX_URL` points somewhere: then no local plane is looked for or started. */
export function isRemote(env: Env): boolean {
  return Boolean(env["HELIX_URL"]);
}

/** Ends a command that is about this machine's own plane where another one is pointed at. Throws `USAGE`. */
export function refuseRemote(env: Env, command: string): void {
  if (!isRemote(env)) return;
  const message = `HELIX_URL is set: \`${command}\` is for the plane of this machine only.`;
  throw new EngineError("USAGE", message, { hint: "Unset HELIX_URL." });
}

/** The control plane to speak to, as far as files and environment say; null when no local one has left its address. Throws `USAGE` for a `HELIX_URL` that is none. */
export function findConnection(env: Env): Connection | null {
  const remote = env["HELIX_URL"];
  if (remote) return { url: checkedUrl(remote), token: env["HELIX_TOKEN"] ?? null };
  const home = helixHome(env);
  const url = addressIn(join(home, "run/control.json"));
  if (url === null) return null;
  return { url, token: env["HELIX_TOKEN"] ?? readText(join(home, "keys/local-token"))?.trim() ?? null };
}

function checkedUrl(text: string): string {
  if (URL.canParse(text) && /^https?:\/\//.test(text)) return text.replace(/\/+$/, "");
  throw new EngineError("USAGE", `HELIX_URL is ${text}, which is not the address of a control plane.`, {
    hint: "Write it like https://helix.example or http://127.0.0.1:7300, or unset it.",
  });
}

/** What a control process left, as long as it lives: afterwards its port may be anybody's, who must not be given our token. */
function addressIn(path: string): string | null {
  const text = readText(path);
  if (text === null) return null;
  try {
    const { url, pid, startTicks } = JSON.parse(text) as { url: string; pid: number; startTicks: string };
    return isAlive({ pid, startTicks }) ? url.replace(/\/+$/, "") : null;
  } catch {
    // Being written just now: the caller asks again.
    return null;
  }
}
