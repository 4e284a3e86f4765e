import type { DecisionRecord, Scope } from "../../ports/index.ts";
import { EngineError } from "../../domain/errors.ts";
import type { ApiDeps } from "../deps.ts";
import { type Api, scopeOf } from "../types.ts";
import { backtest } from "./backtest.ts";
import { POLICY_SCHEMAS as schemas } from "./schema.ts";

const BUNDLE_LIMIT = 17 * 2 ** 20;
const DEFAULT_LAST = 200;

export async function policyRoutes(api: Api, deps: ApiDeps): Promise<void> {
  const { ledger, policies } = deps;

  api.get("/policies", { schema: schemas.list }, () => policies.packs());

  api.get("/policies/waivers", { schema: schemas.waivers }, async (request) => {
    const { project = null, environment = null } = request.query;
    return { items: await ledger.listWaivers(scopeOf(request), { project, environment }) };
  });

  api.post("/policies/waivers", { schema: schemas.waive }, async (request, reply) => {
    const { project, environment = null, rule, path = null, reason, forMs } = request.body;
    await checkWaivable(deps, rule);
    return reply.code(201).send(await ledger.createWaiver(scopeOf(request), { project, environment, rule, path, reason, forMs }));
  });

  api.post("/policies/backtest", { bodyLimit: BUNDLE_LIMIT, schema: schemas.backtest }, async (request) => {
    const { bundle, project = null, last = DEFAULT_LAST } = request.body;
    return backtest(deps, scopeOf(request), { bundle: Buffer.from(bundle, "base64"), project, last });
  });

  api.get("/deployments/:id/decisions", { schema: schemas.decisions }, async (request) => {
    const decisions = await decisionsOf(deps, scopeOf(request), request.params.id);
    return { items: decisions.map((record) => decisionItem(record, request.query.input ?? false)) };
  });
}

/** A waiver for a rule that cannot be waived would only disappoint. Rules of packs that list none are taken at their word. */
async function checkWaivable({ policies }: ApiDeps, rule: string): Promise<void> {
  const { packs } = await policies.packs();
  const levels = packs.flatMap(({ rules }) => rules.filter((one) => one.rule === rule).map(({ level }) => level));
  if (levels.length === 0 || levels.includes("soft-mandatory")) return;
  throw new EngineError("USAGE", `the rule ${rule} cannot be waived: it is ${[...new Set(levels)].join(" or ")}`, {
    hint: "Only soft-mandatory rules can be; `helix policy ls` shows the levels.",
  });
}

async function decisionsOf({ ledger }: ApiDeps, scope: Scope, deployment: string): Promise<readonly DecisionRecord[]> {
  if (await ledger.deployment(scope, deployment)) return ledger.decisions(scope, deployment);
  throw new EngineError("DEPLOYMENT_NOT_FOUND", `there is no deployment ${deployment}`);
}

function decisionItem({ id, point, at, inputDigest, decision, input }: DecisionRecord, withInput: boolean) {
  const { allow, bundle, findings, error = null } = decision;
  return { id, point, at, allow, bundle, inputDigest, findings, error, input: withInput ? input : null };
}
