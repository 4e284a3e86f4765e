import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger, PluginContext } from "./context.ts";
import { PluginError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import { Secret, type SecretRef } from "./secret.ts";

/** What a plugin's test may choose about a context. All of it has a default. */
export interface TestContextOptions<Config> {
  /** The plugin's configuration, with its defaults filled in by the test. Default `{}`. */
  readonly config?: Config;
  /** Default {@link testIdentity}. */
  readonly identity?: Identity;
  /** Values of the application's secrets by name, for `ctx.resolve`; any version of a name gives the same value. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Values of the plugin's own credentials by name, for `ctx.secret`. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Default `op_test`. */
  readonly operationId?: string;
  /** Default 1. */
  readonly fence?: number;
  /** The plugin's folder that is kept between calls. Default: a new one, removed by `cleanup`. */
  readonly home?: string;
}

/** A line that a plugin logged during a test. */
export interface RecordedLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A context for calling a plugin's verbs in its own tests, and what the verbs did with it. */
export interface TestContext<Config> extends PluginContext<Config> {
  /** What was logged so far, in order. */
  readonly lines: readonly RecordedLine[];
  /** What was reported through `progress` so far, in order. */
  readonly notes: readonly string[];
  /** Fires `signal`, as a cancel or a deadline does. */
  abort(): void;
  /** The same home, secrets, lines and notes for another call: a retry, a takeover, another revision. */
  next(options?: Pick<TestContextOptions<Config>, "identity" | "operationId" | "fence" | "config">): TestContext<Config>;
  /** Removes the folders that the context made. */
  cleanup(): void;
}

/**
 * A context like the one that the engine hands to a verb: folders are real, secrets are refused (`FORBIDDEN`) unless they are given here.
 *
 * @example
 * const ctx = createTestContext({ config: { region: "local" }, secrets: { DB: "s3cret" } });
 * const observed = await plugin.planes.runtime.apply(ctx, { spec, prior: null });
 * expect(ctx.lines.map((line) => line.message)).toContain("started");
 * ctx.cleanup();
 */
export function createTestContext<Config = unknown>(options: TestContextOptions<Config> = {}): TestContext<Config> {
  const folder = mkdtempSync(join(tmpdir(), "helix-plugin-test-"));
  return contextIn(folder, { options, lines: [], notes: [] });
}

interface Shared<Config> {
  readonly options: TestContextOptions<Config>;
  readonly lines: RecordedLine[];
  readonly notes: string[];
}

function contextIn<Config>(folder: string, shared: Shared<Config>): TestContext<Config> {
  const { options, lines, notes } = shared;
  const abort = new AbortController();
  const home = options.home ?? join(folder, "home");
  mkdirSync(home, { recursive: true });
  return {
    config: options.config ?? ({} as Config),
    identity: options.identity ?? testIdentity(),
    operationId: options.operationId ?? "op_test",
    fence: options.fence ?? 1,
    signal: abort.signal,
    log: recorder(lines),
    progress: (note) => void notes.push(note),
    secret: async (name) => given(options.credentials, { name, what: "credential" }),
    resolve: async ({ name }: SecretRef) => given(options.secrets, { name, what: "secret" }),
    workdir: mkdtempSync(join(folder, "work-")),
    home,
    lines,
    notes,
    abort: () => abort.abort(),
    next: (more = {}) => contextIn(folder, { ...shared, options: { ...options, home, ...more } }),
    cleanup: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * An identity with readable ids, the same each time.
 *
 * @example testIdentity({ revision: "rev_2" }) // another revision of the same unit
 */
export function testIdentity(overrides: Partial<Identity> = {}): Identity {
  return {
    installation: "ins_test",
    organization: "org_test",
    project: "prj_test",
    environment: "env_test",
    unit: "unit_test",
    revision: "rev_test",
    names: { project: "shop", environment: "production", service: "web" },
    ...overrides,
  };
}

function recorder(lines: RecordedLine[]): Logger {
  const at =
    (level: keyof Logger): Logger["info"] =>
    (message, fields = {}) =>
      void lines.push({ level, message, fields });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function given(values: Readonly<Record<string, string>> | undefined, { name, what }: { name: string; what: string }): Secret {
  const value = values?.[name];
  if (value === undefined) throw new PluginError("FORBIDDEN", `the test gives no ${what} ${name}`);
  return new Secret(value);
}
