import { parseArgs } from "node:util";
import type { SiteOptions } from "./handler.ts";

/** What the server is started with. */
export interface ServerOptions extends SiteOptions {
  readonly port: number;
  /** Null listens on all addresses. */
  readonly host: string | null;
}

/** Reads arguments, then environment: `--root`/`STATIC_ROOT`, `--fallback`/`STATIC_FALLBACK`, `PORT`, `HOST`. Throws with one sentence. */
export function readOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): ServerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { root: { type: "string" }, fallback: { type: "string" }, tag: { type: "string" } },
  });
  const root = values.root ?? env["STATIC_ROOT"];
  if (root === undefined)
    throw new Error("usage: static-server --root FOLDER [--fallback FILE|none], with PORT and HOST in the environment");
  const port = Number(env["PORT"] ?? 8080);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`PORT must be a port number, not ${env["PORT"]}`);
  const fallback = values.fallback ?? env["STATIC_FALLBACK"] ?? "none";
  const tag = (values.tag ?? env["HELIX_REVISION"] ?? "0").replaceAll(/[^A-Za-z0-9_]/g, "").slice(-32);
  return { root, fallback: fallback === "none" ? null : fallback, tag, port, host: env["HOST"] || null };
}
