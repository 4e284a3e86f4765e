import { mkdir } from "node:fs/promises";
import type { Api } from "../api/index.ts";
import { writeWhole } from "../adapters/files.ts";
import { createEngine } from "../engine/index.ts";
import { freePort } from "./free-port.ts";
import { controlAddress } from "./local-plane.ts";
import { ensureLocalToken } from "./local-token.ts";
import { type Parts, openParts } from "./parts.ts";
import { planeHooks } from "./plane-hooks.ts";
import { untilAskedToEnd } from "./signals.ts";
import { keepTidy } from "./tidy.ts";
import { type RunningWorker, startWorker } from "./worker.ts";

/** The control process: API and worker. Runs until it is asked to end, then stops in order: no new requests, steps put back, connections closed. */
export async function runControl(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const parts = await openParts(env, "control");
  const worker = await startWorker(parts);
  await worker.settled;
  await ensureLocalToken(parts.layout, parts.ledger);
  const api = await openApi(parts, worker);
  const url = await listen(api, parts);
  await mkdir(parts.layout.run, { recursive: true, mode: 0o700 });
  await writeWhole(parts.layout.controlFile, controlAddress(url), 0o600);
  parts.logger.info({ url }, "the control plane answers");
  const ending = new AbortController();
  const tidying = keepTidy(parts, ending.signal);
  const signal = await untilAskedToEnd();
  parts.logger.info({ signal }, "the control plane ends");
  ending.abort();
  await Promise.all([api.close(), tidying]);
  await worker.stop();
  await parts.close();
}

async function openApi(parts: Parts, worker: RunningWorker): Promise<Api> {
  // The worker is at work by now: a deployment whose worker died waits for no web server.
  const [{ buildApi }, { createManifestReader }] = await Promise.all([import("../api/index.ts"), import("../config/manifest-reader.ts")]);
  const { ledger, engineDeps, dispatcher, plugins, queue, logger, metrics, settings } = parts;
  const scope = await ledger.ensurePrincipal({ kind: "system", name: "helix" });
  metrics.watch({ queueDepth: () => queue.depth() });
  // A plan is made on sessions that cannot write.
  const reader = createEngine({ ...engineDeps, ledger: await parts.openPlanLedger() });
  return buildApi({
    ledger,
    engine: { ...worker.engine, plan: (caller, input) => reader.plan(caller, input) },
    readManifest: createManifestReader(plugins),
    sources: engineDeps.sources,
    logs: engineDeps.logs,
    policies: parts.policy,
    secrets: parts.secrets,
    dispatcher,
    plugins,
    queue,
    plane: planeHooks(parts, { worker, scope }),
    clock: engineDeps.clock,
    logger,
    metrics,
    settings: { allowedHosts: settings.allowedHosts, maxSourceBytes: settings.maxSourceBytes },
  });
}

/** On the port that was asked for; where none was, on the usual one or the next that is free. */
async function listen(api: Api, { settings }: Parts): Promise<string> {
  const { host, port, portIsFixed } = settings;
  return api.listen({ host, port: portIsFixed || port === 0 ? port : await freePort(port, new Set()) });
}
