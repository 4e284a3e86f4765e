import { digestOf } from "../../domain/digest.ts";
import type { EngineError } from "../../domain/errors.ts";
import { type Maturity, MATURITIES } from "../../domain/manifest.ts";
import type { Origin } from "../../domain/origin.ts";
import { activeWaivers, applyWaivers } from "../../domain/waivers.ts";
import type { Decision, PackInfo, PolicyCatalog, PolicyEngine, WaiverRecord } from "../../ports/index.ts";
import { checkInputTime, checkPackTime } from "./check-time.ts";
import { type CompiledPack, type Evaluator, type EvaluatorOptions, createEvaluator } from "./evaluator.ts";
import { unavailable } from "./faults.ts";
import { verdictOf } from "./findings.ts";
import { type GuardrailSettings, maturityOf, parametersOf } from "./parameters.ts";
import { type Pack, openPack } from "./pack.ts";
import { type PackStoreOptions, openPackStore } from "./pack-store.ts";
import { readBundle } from "./read-bundle.ts";

export interface OpaPolicyOptions extends PackStoreOptions, EvaluatorOptions {
  /** The operator's settings as they are now. Throws what is wrong with them. */
  readonly settings?: () => GuardrailSettings;
  readonly now?: () => number;
  /** The largest input, bytes. Default 4 MiB. */
  readonly inputBytes?: number;
}

/** The guardrails: asked by the engine, shown by the API. */
export interface OpaPolicy extends PolicyEngine, PolicyCatalog {
  close(): Promise<void>;
}

/**
 * Decides with compiled Rego. Every pack is asked, and one refusal refuses. Whatever keeps one of them from answering refuses too, with
 * `POLICY_UNAVAILABLE`.
 */
export function createOpaPolicy(options: OpaPolicyOptions): OpaPolicy {
  const { settings = () => ({}), now = Date.now, inputBytes = 4 * 2 ** 20 } = options;
  const store = openPackStore(options);
  const evaluator = createEvaluator(options);
  const withData = createDataCache();

  const decide = async (point: string, input: Readonly<Record<string, unknown>>): Promise<Decision> => {
    const text = JSON.stringify({ ...input, point });
    if (text.length > inputBytes)
      throw unavailable("input-too-large", `what is to be decided on has ${text.length} bytes, and ${inputBytes} are taken`);
    const nowMs = now();
    checkInputTime(input, nowMs);
    const { manifest, environment } = input as unknown as Subject;
    const operator = settings();
    const packs = await store.packs(maturityOf(manifest.guardrails.maturity, { settings: operator, environment }));
    for (const pack of packs) checkPackTime(pack, nowMs);
    const compiled = packs.map((pack, i) => withData(pack, i === 0 ? { settings: operator, environment } : null));
    const judged = await ask(evaluator, { packs, compiled, text, input });
    const { findings, isWaived } = applyWaivers(judged.findings, waiversOf(input));
    const refuses = findings.some((finding) => finding.level !== "advisory" && !isWaived(finding));
    return { allow: judged.allow && !refuses, findings, bundle: bundleDigest(compiled) };
  };

  return {
    decide,
    async packs() {
      const lists = await Promise.all(MATURITIES.map(async (maturity) => infoOf(maturity, await tried(store.packs(maturity)))));
      return {
        packs: distinct(lists.flat()),
        problems: store.problems().map(({ file, error, isKept }) => ({ file, error: error.toDocument(), isKept })),
      };
    },
    async openTrial(bytes) {
      const pack = await openPack(await readBundle(bytes), { file: "trial", signedBy: "nobody", endsAt: null });
      const compiled = withData(pack, null);
      return {
        name: pack.name,
        async decide(input) {
          const { allow, findings } = await ask(evaluator, { packs: [pack], compiled: [compiled], text: JSON.stringify(input), input });
          return { allow: allow && findings.every(({ level }) => level === "advisory"), findings, bundle: pack.digest };
        },
      };
    },
    close: () => evaluator.close(),
  };
}

/** What decides which packs are asked. */
interface Subject {
  readonly environment: string;
  readonly manifest: { readonly guardrails: { readonly maturity: Maturity } };
}

interface Ask {
  readonly packs: readonly Pack[];
  readonly compiled: readonly CompiledPack[];
  readonly text: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Asks every entry point of every pack. Packs in conftest's layout see the resolved manifest, as they would have seen a file. */
async function ask(evaluator: Evaluator, { packs, compiled, text, input }: Ask): Promise<Pick<Decision, "allow" | "findings">> {
  const needsManifest = packs.some(({ kind }) => kind === "conftest");
  const inputs = needsManifest ? [text, JSON.stringify(input["manifest"])] : [text];
  const asked = packs.flatMap((pack, i) =>
    pack.entrypoints.map((entrypoint) => ({
      pack,
      entrypoint,
      question: { pack: compiled[i]!.id, entrypoint, input: pack.kind === "conftest" ? 1 : 0 },
    })),
  );
  const questions = asked.map(({ question }) => question);
  const raw = await evaluator.evaluate({ nowMs: Date.parse(String(input["time"])), questions, packs: compiled, inputs });
  const origin = (input["origin"] ?? null) as Origin | null;
  const verdicts = asked.map(({ pack, entrypoint }, i) => verdictOf(pack, { entrypoint, raw: raw[i], origin }));
  return { allow: verdicts.every(({ allow }) => allow), findings: verdicts.flatMap(({ findings }) => findings) };
}

/** A pack with its data, the operator's parameters over the shipped ones. The same settings give the same text, and so the same id. */
function createDataCache(): (pack: Pack, operator: { settings: GuardrailSettings; environment: string } | null) => CompiledPack {
  const known = new Map<string, CompiledPack>();
  return (pack, operator) => {
    const key = `${pack.digest} ${operator === null ? "" : JSON.stringify([operator.settings, operator.environment])}`;
    const found = known.get(key);
    if (found) return found;
    const data = JSON.stringify(operator === null ? pack.data : withParameters(pack, operator));
    const compiled = { id: digestOf([pack.digest, data]), name: pack.name, module: pack.module, data };
    if (known.size >= KEPT) known.clear();
    known.set(key, compiled);
    return compiled;
  };
}

const KEPT = 100;

function withParameters({ data }: Pack, operator: { settings: GuardrailSettings; environment: string }): object {
  const helix = (data["helix"] ?? {}) as { readonly parameters?: Readonly<Record<string, unknown>> };
  return { ...data, helix: { ...helix, parameters: parametersOf(helix.parameters ?? {}, operator) } };
}

/** Of everything that had a part in the decision: rules, data and parameters. */
function bundleDigest(compiled: readonly CompiledPack[]): string {
  return digestOf(compiled.map(({ name, id }) => [name, id]));
}

/** Nobody waives for themselves, whoever put the waiver into the input. */
function waiversOf(input: Readonly<Record<string, unknown>>): readonly WaiverRecord[] {
  const { waivers = [], actor, time } = input as { waivers?: readonly WaiverRecord[]; actor?: { id: string } | null; time: string };
  return activeWaivers(waivers, { nowMs: Date.parse(time), principal: actor?.id ?? "" });
}

async function tried(packs: Promise<readonly Pack[]>): Promise<readonly Pack[]> {
  return packs.catch((error: unknown) => {
    if ((error as EngineError).code === "POLICY_UNAVAILABLE") return [];
    throw error;
  });
}

function infoOf(maturity: Maturity, packs: readonly Pack[]): readonly PackInfo[] {
  return packs.map(({ name, version, serial, kind, digest, signedBy, expiresAt, data }, i) => ({
    name,
    version,
    serial,
    kind,
    digest,
    signedBy,
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    maturity: i === 0 ? maturity : null,
    rules: i === 0 ? rulesOf(data) : [],
  }));
}

function rulesOf(data: Readonly<Record<string, unknown>>): PackInfo["rules"] {
  const { catalog = {}, levels = {} } = (data["helix"] ?? {}) as {
    catalog?: Record<string, { title: string; points: string[] }>;
    levels?: Record<string, string>;
  };
  return Object.entries(catalog).map(([rule, { title, points }]) => ({ rule, title, points, level: levels[rule] ?? "mandatory" }));
}

function distinct(packs: readonly PackInfo[]): readonly PackInfo[] {
  return [...new Map(packs.map((pack) => [`${pack.name} ${pack.digest}`, pack])).values()];
}
