import type { Finding } from "../../ports/policy-engine.ts";
import { type Origin, nearestLine } from "../../domain/origin.ts";
import { unavailable } from "./faults.ts";
import type { Pack } from "./pack.ts";

/** What one entry point said. */
export interface Verdict {
  readonly allow: boolean;
  readonly findings: readonly Finding[];
}

const LEVELS: ReadonlySet<unknown> = new Set(["advisory", "mandatory", "soft-mandatory"]);

/** Understands the raw result of an entry point. Throws `POLICY_UNAVAILABLE` for everything that is not an answer. */
export function verdictOf(pack: Pack, { entrypoint, raw, origin }: { entrypoint: string; raw: unknown; origin: Origin | null }): Verdict {
  if (!Array.isArray(raw) || raw.length === 0) throw unavailable("result-undefined", `${pack.name} gave no answer to ${entrypoint}`);
  const { result } = raw[0] as { readonly result?: unknown };
  if (result === undefined || raw.length > 1) throw unavailable("result-undefined", `${pack.name} gave no answer to ${entrypoint}`);
  return pack.kind === "helix" ? decided(pack, { result, origin }) : listed(pack, { entrypoint, result, origin });
}

function decided(pack: Pack, { result, origin }: { result: unknown; origin: Origin | null }): Verdict {
  const { allow, findings } = (result ?? {}) as { readonly allow?: unknown; readonly findings?: unknown };
  if (typeof allow !== "boolean") throw unavailable("result-not-boolean", `${pack.name} answered with neither yes nor no`);
  if (!Array.isArray(findings)) throw malformed(pack, "its findings are no list");
  return { allow, findings: findings.map((one) => findingOf(pack, { one, origin })) };
}

function findingOf(pack: Pack, { one, origin }: { one: unknown; origin: Origin | null }): Finding {
  const { rule, level, message, path = "", fix = "", needed, found } = (one ?? {}) as Record<string, unknown>;
  if (!LEVELS.has(level)) throw malformed(pack, `a finding has the level ${JSON.stringify(level)}`);
  for (const text of [rule, message, path, fix])
    if (typeof text !== "string") throw malformed(pack, "a finding lacks a rule, a message, a path or a fix");
  return {
    ...placed(path as string, origin),
    rule: rule as string,
    level: level as Finding["level"],
    message: message as string,
    fix: fix as string,
    pack: `${pack.name}@${pack.version}`,
    ...(typeof needed === "string" && { needed }),
    ...(typeof found === "string" && { found }),
  };
}

/** `deny` and `violation` refuse, `warn` advises. Each says a sentence, or an object with one in `msg`. */
function listed(pack: Pack, { entrypoint, result, origin }: { entrypoint: string; result: unknown; origin: Origin | null }): Verdict {
  if (!Array.isArray(result)) throw malformed(pack, `${entrypoint} is no set of messages`);
  const name = entrypoint.slice("main/".length);
  const level = name.startsWith("warn") ? "advisory" : "mandatory";
  const findings = result.map((one: unknown): Finding => {
    const { msg, path, fix } = (typeof one === "string" ? { msg: one } : (one ?? {})) as Record<string, unknown>;
    if (typeof msg !== "string") throw malformed(pack, `${entrypoint} has an entry without a message`);
    return {
      ...placed(typeof path === "string" ? path : "", origin),
      rule: `${pack.name}/${name}`,
      level,
      message: msg,
      fix: typeof fix === "string" ? fix : "Change what the message names.",
      pack: `${pack.name}@${pack.version}`,
    };
  });
  return { allow: level === "advisory" || findings.length === 0, findings };
}

/** The line of what the path names in the manifest's file. Paths of other parts of the input stand in no file. */
function placed(path: string, origin: Origin | null): Pick<Finding, "path" | "file" | "line"> {
  return { path, file: origin?.file ?? "helix.yaml", line: origin ? nearestLine(origin.lines, path) : null };
}

function malformed(pack: Pack, why: string): Error {
  return unavailable("result-malformed", `the answer of ${pack.name} cannot be understood: ${why}`);
}
