import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { InstalledPlugin } from "../ports/plugins.ts";
import type { Daemon } from "@helixstack/sdk";
import type { Unit } from "@helixstack/supervisor";
import { join } from "node:path";
import type { EmbeddedPostgres } from "../adapters/postgres/index.ts";

/** The units of the plane itself have one owner, the home, so one fence. */
const PLANE_FENCE = 0;
/** Everybody waits for the plane, so it is not kept waiting long however often it died; one that ran for seconds is no crash loop. */
const RESTART = { policy: "always", minMs: 10, maxMs: 500, goodMs: 2_000 } as const;

/** What the control process may see of the environment of whoever starts the plane. */
const PASSED =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_ALL|TMPDIR|TZ|DATABASE_URL|REDIS_URL|VAULT_ADDR|VAULT_NAMESPACE|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|HELIX_(?!TOKEN|URL).*|npm_config_.*|(https?|no|all)_proxy)$/i;

type Env = Readonly<Record<string, string | undefined>>;

/** The embedded database, in words of the supervisor. */
export function postgresUnit({ argv, cwd, env, user }: EmbeddedPostgres): Unit {
  return {
    ...planeUnit("postgres", { argv, cwd, env }),
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    // A fast shutdown: it disconnects clients instead of waiting for them.
    stopSignal: "SIGINT",
  };
}

/** API and worker in one process. */
export function controlUnit({ home, env }: { readonly home: string; readonly env: Env }): Unit {
  return planeUnit("control", {
    argv: [process.execPath, ...CONTROL_FLAGS, entryPoint("main.js"), "control"],
    cwd: home,
    env: { ...passedEnvironment(env), HELIX_HOME: home },
  });
}

/** A process that a plugin brings along, with the plugin's configuration. */
export function daemonUnit({ plugin, daemon }: { readonly plugin: InstalledPlugin; readonly daemon: Daemon }): Unit {
  const { manifest, folder, config } = plugin;
  const unit = planeUnit(daemon.role, {
    argv: [process.execPath, join(folder, daemon.entry)],
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HELIX_PLUGIN_CONFIG: JSON.stringify(config) },
  });
  return { ...unit, name: `daemon-${manifest.name}-${daemon.role}`, labels: { plugin: manifest.name } };
}

/** The part of an environment that the plane's processes are given. */
export function passedEnvironment(env: Env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && PASSED.test(entry[0])),
  );
}

/** A script of this package, as it is built. */
export function entryPoint(script: string): string {
  return fileURLToPath(new URL(`../${script}`, import.meta.url)).replace(/\/src\/([^/]+)$/, "/dist/$1");
}

/** A small young generation: the control process is mostly idle, and its memory counts. */
const CONTROL_FLAGS = ["--max-semi-space-size=2"];

function planeUnit(role: string, { argv, cwd, env }: Pick<Unit, "argv" | "cwd" | "env">): Unit {
  const specDigest = createHash("sha256")
    .update(JSON.stringify([argv, env]))
    .digest("hex")
    .slice(0, 32);
  return { name: role, role, argv, cwd, env, restart: RESTART, desired: "running", labels: {}, fence: PLANE_FENCE, specDigest };
}
