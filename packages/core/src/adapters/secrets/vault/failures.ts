import { EngineError } from "../../../domain/errors.ts";

/** What Vault or the way to it answered, without what was sent: requests carry the token, answers carry values. */
export interface VaultAnswer {
  /** Null: nothing came back. */
  readonly status: number | null;
  /** The system's code, when nothing came back. */
  readonly code: string | null;
  /** Vault's own words, one line. */
  readonly message: string;
}

/** The facts of whatever node-vault threw. The thrown value itself goes nowhere: it holds the request. */
export function answerOf(thrown: unknown): VaultAnswer {
  const { response, code, message } = thrown as { response?: { statusCode?: number; status?: number }; code?: string; message?: string };
  const status = response?.statusCode ?? response?.status ?? null;
  return { status, code: status === null ? (code ?? "unknown") : null, message: firstLine(message ?? "") };
}

/** An answer as the engine's error: what happened, and what to do. */
export function toVaultError(thrown: unknown, { address, what }: { readonly address: string; readonly what: string }): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const answer = answerOf(thrown);
  const { status, code, message } = answer;
  if (status === null)
    return down(
      `Vault at ${address} does not answer (${code})`,
      "Start it, or correct its address. What runs is not affected.",
      "unreachable",
    );
  if (/sealed/i.test(message))
    return down(`Vault at ${address} is sealed`, "Unseal it: `vault operator unseal`. What runs is not affected.", "sealed");
  if (status === 404)
    return down(
      `Vault at ${address} has no KV v2 engine where one is expected: ${message}`,
      "Run the commands that `helix secrets setup-vault` prints.",
      "no-engine",
    );
  if (status === 403 || status === 400 || status === 401) return denied(`Vault at ${address} refuses to ${what}: ${message}`);
  return down(
    `Vault at ${address} answers with status ${status}: ${message}`,
    "See its log and `vault status`. What runs is not affected.",
    "failing",
  );
}

/** Vault took longer than a deploy waits. */
export function tooSlow(address: string, ms: number): EngineError {
  return down(
    `Vault at ${address} did not answer within ${ms / 1000} s`,
    "See what slows it down, then deploy again. What runs is not affected.",
    "slow",
  );
}

export function denied(message: string): EngineError {
  const hint =
    "The credential was revoked, has expired, or its policy lacks this path. `helix secrets setup-vault` prints the policy; `--connect` stores a new credential. What runs is not affected.";
  return new EngineError("SECRET_STORE_DENIED", message, { hint, details: { cause: "denied" } });
}

/** Not retried by the engine: a person waits, and the next deploy asks again anyway. */
function down(message: string, hint: string, cause: string): EngineError {
  return new EngineError("SECRET_STORE_DOWN", message, { hint, retryable: false, details: { cause } });
}

function firstLine(text: string): string {
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().replace(/^\* /, ""))
    .join(" ")
    .slice(0, 200);
}
