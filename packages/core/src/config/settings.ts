import { EngineError } from "../domain/errors.ts";
import { resolveHome } from "./home.ts";
import { didYouMean } from "../domain/suggest.ts";
import { parseDuration, parseSize } from "./units.ts";

export const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What an operator sets for a server, from the environment. */
export interface Settings {
  readonly home: string;
  /** PostgreSQL to use; null starts the embedded one. Holds a password: never printed. */
  readonly databaseUrl: string | null;
  /** Redis for the queue; null queues on PostgreSQL. Holds a password: never printed. */
  readonly redisUrl: string | null;
  /** Vault to keep secrets in; null keeps them in files, unless `keys/vault.json` names one. */
  readonly vaultAddress: string | null;
  readonly vaultNamespace: string | null;
  /** The address that the API listens on. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Whether the port was asked for by name; else the next free one is as good. */
  readonly portIsFixed: boolean;
  /** Host names besides loopback under which the API answers. */
  readonly allowedHosts: readonly string[];
  readonly logLevel: LogLevel;
  /** Deployments that one worker runs side by side. */
  readonly concurrency: number;
  /** The largest source that is taken, bytes. */
  readonly maxSourceBytes: number;
  /** How long sources and artifacts stay that nothing refers to, milliseconds. */
  readonly keepUnusedMs: number;
}

export const DEFAULT_PORT = 7300;
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The settings of a server. An empty variable counts as absent. Rejects with `USAGE`, naming every variable that is wrong; values are not
 * shown, since some hold passwords.
 *
 * @example readSettings({ HELIX_PORT: "8080" }, { uid: 1000 }).port // 8080
 */
export function readSettings(env: Env, { uid }: { readonly uid: number | undefined }): Settings {
  const problems: string[] = [];
  const read = <T>(name: string, parse: Parser<T>, fallback: T): T => {
    const text = env[name];
    if (!text) return fallback;
    const value = parse(text);
    if (!(value instanceof Complaint)) return value;
    problems.push(`${name} ${value.text}`);
    return fallback;
  };
  const settings: Settings = {
    home: resolveHome(env, uid),
    databaseUrl: read<string | null>("DATABASE_URL", urlOf(["postgres:", "postgresql:"]), null),
    redisUrl: read<string | null>("REDIS_URL", urlOf(["redis:", "rediss:"]), null),
    vaultAddress: read<string | null>("VAULT_ADDR", addressOf, null),
    vaultNamespace: read<string | null>("VAULT_NAMESPACE", (text) => text, null),
    host: read("HELIX_HOST", hostOf, "127.0.0.1"),
    port: read("HELIX_PORT", integerOf({ min: 0, max: 65_535 }), DEFAULT_PORT),
    portIsFixed: Boolean(env["HELIX_PORT"]),
    allowedHosts: read("HELIX_ALLOWED_HOSTS", hostsOf, []),
    logLevel: read("HELIX_LOG_LEVEL", levelOf, "info"),
    concurrency: read("HELIX_CONCURRENCY", integerOf({ min: 1, max: 64 }), 4),
    maxSourceBytes: read("HELIX_MAX_SOURCE", sizeOf, 2 ** 30),
    keepUnusedMs: read("HELIX_KEEP_UNUSED", spanOf, WEEK_MS),
  };
  if (problems.length > 0)
    throw new EngineError("USAGE", problems.join("; "), { hint: "Correct the environment of the server.", details: { problems } });
  return Object.freeze(settings);
}

type Parser<T> = (text: string) => T | Complaint;

/** What a parser returns in place of a value. */
class Complaint {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function complaint(text: string): Complaint {
  return new Complaint(text);
}

function urlOf(protocols: readonly string[]): Parser<string | null> {
  const example = `${protocols.at(-1)!.replace(":", "")}://user:password@host/name`;
  return (text) => {
    if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
    return complaint(`is not a URL such as ${example}`);
  };
}

function addressOf(text: string): string | Complaint {
  const isHttp = URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
  return isHttp ? text : complaint("is not a URL such as https://vault.example:8200");
}

function integerOf({ min, max }: { min: number; max: number }): Parser<number> {
  return (text) => {
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : complaint(`must be a whole number from ${min} to ${max}`);
  };
}

function hostOf(text: string): string | Complaint {
  return /^[A-Za-z0-9.:-]+$/.test(text) ? text : complaint("is not a host name or address");
}

function hostsOf(text: string): readonly string[] | Complaint {
  const hosts = text.split(",").map((host) => host.trim().toLowerCase());
  const wrong = hosts.filter((host) => !/^[a-z0-9.-]+$/.test(host));
  return wrong.length === 0 ? hosts : complaint("must be host names without ports, with commas between them");
}

function levelOf(text: string): LogLevel | Complaint {
  if ((LOG_LEVELS as readonly string[]).includes(text)) return text as LogLevel;
  return complaint(`must be one of ${LOG_LEVELS.join(", ")}${didYouMean(text, LOG_LEVELS)}`);
}

function sizeOf(text: string): number | Complaint {
  return parseSize(text) ?? complaint("must be a size such as 512Mi or 1Gi");
}

/** Not shorter: a deployment that counts on what is stored may not be recorded yet. */
function spanOf(text: string): number | Complaint {
  const ms = parseDuration(text);
  return ms !== null && ms >= HOUR_MS ? ms : complaint("must be a time such as 7d or 12h, at least 1h");
}
