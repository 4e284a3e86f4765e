import { arch } from "node:os";
import { join } from "node:path";
import { createLedger, preparePostgres } from "../adapters/postgres/index.ts";
import { createQueue } from "../adapters/queue/index.ts";
import { currentSecret } from "../adapters/secrets/index.ts";
import { openFileLogStore, openFolderArtifactStore, openFolderSourceStore } from "../adapters/stores/index.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { type HomeLayout, createHome } from "../config/home.ts";
import { type Settings, readSettings } from "../config/settings.ts";
import type { EngineDeps } from "../engine/deps.ts";
import { type LoadedPlugins, type LocalDispatcher, createDispatcher, loadPlugins } from "../host/index.ts";
import type { OpaPolicy } from "../adapters/opa/index.ts";
import type { Ledger, Queue, SecretStore } from "../ports/index.ts";
import { type Metrics, type ServerLogger, createLogger, createMetrics, meteredLedger } from "../telemetry/index.ts";
import { ensureDaemons } from "./daemons.ts";
import { freePort } from "./free-port.ts";
import { openGuardrails } from "./guardrails.ts";
import { localConfig } from "./local-facts.ts";
import { readOperatorConfig } from "./operator-config.ts";
import { ownTemp } from "./own-temp.ts";
import { pluginFolders } from "./plugin-folders.ts";
import { openPluginMemory } from "./plugin-memory.ts";
import { openSchema, planLedger } from "./schema.ts";
import { openSecretStore } from "./secret-store.ts";
import { type SupervisorLink, linkSupervisor } from "./supervisor-link.ts";
import { type Taps, openTaps } from "./taps.ts";

/** What the processes of the plane are put together from. */
export interface Parts {
  readonly settings: Settings;
  readonly layout: HomeLayout;
  readonly logger: ServerLogger;
  readonly databaseUrl: string;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  /** The same ledger under a role that cannot write: for `plan`. Closed with the rest. */
  readonly openPlanLedger: () => Promise<Ledger>;
  readonly queue: Queue;
  readonly plugins: LoadedPlugins;
  readonly dispatcher: LocalDispatcher;
  readonly supervisor: SupervisorLink;
  readonly secrets: SecretStore;
  readonly policy: OpaPolicy;
  readonly engineDeps: EngineDeps;
  /** Who records plugin hosts; set once the worker has registered. */
  hostRecorder: HostRecorder | null;
  /** Closes everything that was opened, in reverse. */
  close(): Promise<void>;
}

type HostRecorder = NonNullable<Parameters<typeof createDispatcher>[0]["onHost"]>;

/** Opens everything that a control or worker process needs. Waits for the database. */
export async function openParts(env: Readonly<Record<string, string | undefined>>, role: string): Promise<Parts> {
  const uid = process.getuid?.();
  const settings = readSettings(env, { uid });
  const layout = createHome(settings.home, { uid });
  const logger = createLogger({ level: settings.logLevel, role });
  const onError = (error: Error) => logger.warn({ err: error }, "a connection was lost; it mends itself");
  const databaseUrl = settings.databaseUrl ?? (await preparePostgres({ home: settings.home, freePort })).url;
  await openSchema(databaseUrl);
  const metrics = createMetrics();
  const taps = openTaps(env);
  const ledger = taps.port("ledger", meteredLedger(createLedger({ url: databaseUrl, onError }), metrics));
  const planning = planLedger({ url: databaseUrl, onError });
  const { id: installation } = await ledger.installation();
  const queue = taps.port("queue", createQueue({ url: settings.redisUrl ?? databaseUrl, name: queueName(installation), onError }));
  const plugins = await installedPlugins(layout, logger);
  const supervisor = linkSupervisor({ home: settings.home, logger });
  const local = createDispatcher({
    registry: plugins,
    homes: ({ manifest }) => join(layout.plugins, manifest.name),
    beforeCall: (plugin) => ensureDaemons(plugin, supervisor),
    onHost: {
      recordHost: async (host) => parts.hostRecorder?.recordHost(host),
      removeHost: async (host) => parts.hostRecorder?.removeHost(host),
    },
    onOutput: (output) => logger.debug(output, "plugin output"),
  });
  const dispatcher = taps.dispatcher(local);
  const secrets = taps.port("secrets", await openSecretStore({ layout, settings }, sdkLogger(logger)));
  const policy = taps.port("policy", openGuardrails(layout, logger));
  const parts: Parts = {
    settings,
    layout,
    logger,
    databaseUrl,
    metrics,
    ledger,
    queue,
    plugins,
    dispatcher,
    supervisor,
    secrets,
    policy,
    engineDeps: await engineDeps({ layout, settings, logger, taps, ledger, plugins, dispatcher, secrets, policy }),
    hostRecorder: null,
    openPlanLedger: planning.open,
    async close() {
      supervisor.close();
      await queue.close();
      await dispatcher.close();
      await policy.close();
      await secrets.close();
      await planning.close();
      await ledger.close();
    },
  };
  return parts;
}

/** The plugins, configured by the operator and by what is known of this machine. One that cannot be used is logged. */
async function installedPlugins(layout: HomeLayout, logger: ServerLogger): Promise<LoadedPlugins> {
  const operator = readOperatorConfig(layout.root);
  const memory = openPluginMemory(join(layout.data, "checked-plugins.json"));
  const plugins = await loadPlugins({
    memory,
    folders: pluginFolders(layout.root),
    configOf: (manifest) => localConfig(manifest, { layout, configured: operator.plugins[manifest.name] ?? {} }),
  });
  await memory.keep();
  for (const { folder, error } of plugins.problems) logger.error({ folder, code: error.code }, error.message);
  return plugins;
}

/** Installations may share one Redis. */
function queueName(installation: string): string {
  return `helix-${installation}`;
}

type EngineInput = Pick<Parts, "layout" | "settings" | "logger" | "ledger" | "plugins" | "dispatcher" | "secrets" | "policy"> & {
  readonly taps: Taps;
};

async function engineDeps({
  layout,
  settings,
  logger,
  taps,
  ledger,
  plugins,
  dispatcher,
  secrets,
  policy,
}: EngineInput): Promise<EngineDeps> {
  const temp = await ownTemp(join(layout.data, "temp"));
  return {
    ledger,
    sources: taps.port("sources", await openFolderSourceStore({ root: layout.sources, maxBlobBytes: settings.maxSourceBytes })),
    artifacts: taps.port("artifacts", await openFolderArtifactStore({ root: layout.artifacts })),
    logs: taps.port("logs", await openFileLogStore({ root: layout.logs })),
    policy,
    secrets,
    credential: (scope, { plugin, name }) => currentSecret(secrets, scope, { path: { plugin }, name }),
    dispatcher,
    plugins,
    clock: systemClock,
    logger: sdkLogger(logger),
    temp,
    platform: `linux/${arch() === "x64" ? "amd64" : arch()}`,
  };
}

/** The engine's logger speaks the SDK's form: message first. */
function sdkLogger(logger: ServerLogger): EngineDeps["logger"] {
  const write = (level: "debug" | "info" | "warn" | "error") => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    logger[level](fields ?? {}, message);
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
