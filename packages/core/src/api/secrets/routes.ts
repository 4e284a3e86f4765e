import { Secret } from "@helixstack/sdk";
import { EngineError, toEngineError } from "../../domain/errors.ts";
import { shownPath } from "../../domain/secret-names.ts";
import type { Principal, SecretPath } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import { type Api, scopeOf } from "../types.ts";
import { compare, importValues, refuseReserved } from "./import.ts";
import { recordUse, secretStream } from "./record.ts";
import { SECRET_SCHEMAS as schemas } from "./schema.ts";

const BASE = "/projects/:project/environments/:environment/secrets";
const PLUGIN = "/plugins/:plugin/secrets";
const EVENTS_PAGE = 500;
/** Values leave rarely, and for a person. */
const PULL_RATE = { max: 60, timeWindow: 60_000 };

export async function secretRoutes(api: Api, deps: ApiDeps): Promise<void> {
  const { secrets, ledger } = deps;

  api.get(BASE, { schema: schemas.list }, async (request) => ({ items: await secrets.list(scopeOf(request), request.params) }));

  api.put(`${BASE}/:name`, { schema: schemas.put }, async (request) => {
    const { project, environment, name } = request.params;
    const path = { project, environment };
    refuseReserved(name);
    const item = await secrets.set(scopeOf(request), { path, name, value: new Secret(request.body.value), expect: request.body.expect });
    await recordUse(ledger, request, { path, action: "set", names: [name] });
    return item;
  });

  api.delete(`${BASE}/:name`, { schema: schemas.remove }, async (request, reply) => {
    const { project, environment, name } = request.params;
    const path = { project, environment };
    if (!(await secrets.remove(scopeOf(request), { path, name }))) throw notThere(path, name);
    await recordUse(ledger, request, { path, action: "removed", names: [name] });
    return reply.code(204).send();
  });

  api.post(`${BASE}/import`, { schema: schemas.import }, async (request) => {
    const { params: path, body } = request;
    const asked = { path, values: body.values };
    if (body.dryRun) return { items: (await compare(secrets, scopeOf(request), asked)).map(({ name, action }) => ({ name, action })) };
    const names: string[] = [];
    try {
      const changes = await importValues(secrets, scopeOf(request), { ...asked, onSet: (name) => names.push(name) });
      return { items: changes.map(({ name, action }) => ({ name, action })) };
    } finally {
      if (names.length > 0) await recordUse(ledger, request, { path, action: "set", names });
    }
  });

  api.post(`${BASE}/pull`, { schema: schemas.pull, config: { rateLimit: PULL_RATE } }, async (request, reply) => {
    const scope = scopeOf(request);
    const path = request.params;
    const wanted = request.body.names ?? (await secrets.list(scope, path)).map(({ name }) => name);
    const refs = await secrets.pin(scope, { path, names: wanted });
    const values = await Promise.all(refs.map(async (ref) => [ref.name, (await secrets.read(scope, { path, ref })).reveal()] as const));
    // Before the answer: whoever gets values is on record, or gets none.
    await recordUse(ledger, request, { path, action: "pulled", names: wanted });
    return reply.header("cache-control", "no-store").send({ values: Object.fromEntries(values) });
  });

  api.get(`${BASE}/events`, { schema: schemas.events }, async (request) => {
    const scope = scopeOf(request);
    const { after = 0 } = request.query;
    const events = await ledger.events(scope, { stream: secretStream(scope.organization, request.params), after, limit: EVENTS_PAGE });
    return { items: events.map(({ seq, type, data, at }) => ({ seq, type, ...used(data), at })) };
  });

  pluginSecretRoutes(api, deps);
  storeRoutes(api, deps);
}

function pluginSecretRoutes(api: Api, { secrets, ledger }: ApiDeps): void {
  api.get(PLUGIN, { schema: schemas.listPlugin }, async (request) => ({ items: await secrets.list(scopeOf(request), request.params) }));

  api.put(`${PLUGIN}/:name`, { schema: schemas.putPlugin }, async (request) => {
    const { plugin, name } = request.params;
    const path = { plugin };
    const item = await secrets.set(scopeOf(request), { path, name, value: new Secret(request.body.value), expect: request.body.expect });
    await recordUse(ledger, request, { path, action: "set", names: [name] });
    return item;
  });

  api.delete(`${PLUGIN}/:name`, { schema: schemas.removePlugin }, async (request, reply) => {
    const { plugin, name } = request.params;
    const path = { plugin };
    if (!(await secrets.remove(scopeOf(request), { path, name }))) throw notThere(path, name);
    await recordUse(ledger, request, { path, action: "removed", names: [name] });
    return reply.code(204).send();
  });
}

function storeRoutes(api: Api, { secrets }: ApiDeps): void {
  api.get("/secret-store", { schema: schemas.store }, async () => {
    const failure = await secrets.check().then(
      () => null,
      (thrown: unknown) => toEngineError(thrown).toDocument(),
    );
    return { kind: secrets.kind, ok: failure === null, error: failure };
  });

  api.post("/secret-store/rotate-key", { schema: schemas.rotateKey }, async () => {
    if (secrets.rotateKey) return { resealed: await secrets.rotateKey() };
    throw new EngineError("USAGE", "this store keeps its key itself", { hint: "Rotate it there: `vault operator rotate`." });
  });
}

function notThere(path: SecretPath, name: string): EngineError {
  return new EngineError("SECRET_NOT_FOUND", `${shownPath(path)} has no secret ${name}`);
}

function used(data: Readonly<Record<string, unknown>>): { principal: { id: string; name: string }; names: readonly string[] } {
  const { id, name } = data["principal"] as Principal;
  return { principal: { id, name }, names: data["names"] as readonly string[] };
}
