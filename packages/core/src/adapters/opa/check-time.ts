import { unavailable } from "./faults.ts";
import type { Pack } from "./pack.ts";

/** How far clocks of one installation may be apart, milliseconds. */
const SKEW_MS = 120_000;

/** A pack that is over, or that comes from the future of this machine. */
export function checkPackTime({ name, expiresAt, issuedAt }: Pack, nowMs: number): void {
  if (expiresAt !== null && nowMs >= expiresAt) {
    throw unavailable("bundle-expired", `the bundle ${name} ended at ${new Date(expiresAt).toISOString()}`, {
      hint: "Install a newer edition of it.",
    });
  }
  if (issuedAt !== null && issuedAt > nowMs + SKEW_MS)
    throw skewed(`the bundle ${name} was made at ${new Date(issuedAt).toISOString()}`, nowMs);
}

/** What was recorded already cannot lie in the future: the time that policies are given is wrong then, and so are freeze windows and expiries. */
export function checkInputTime(input: Readonly<Record<string, unknown>>, nowMs: number): void {
  const time = Date.parse(String(input["time"]));
  if (Number.isNaN(time) || Math.abs(time - nowMs) > SKEW_MS) throw skewed(`the time to be decided on is ${String(input["time"])}`, nowMs);
  const { deployment, history } = input as { deployment?: Recorded | null; history?: { deployments?: readonly Recorded[] } };
  const recorded = [deployment, ...(history?.deployments ?? [])]
    .map((one) => Date.parse(one?.createdAt ?? ""))
    .filter((one) => !Number.isNaN(one));
  const newest = Math.max(...recorded);
  if (newest > nowMs + SKEW_MS) throw skewed(`the ledger knows of ${new Date(newest).toISOString()}`, nowMs);
}

interface Recorded {
  readonly createdAt?: string;
}

function skewed(what: string, nowMs: number): Error {
  return unavailable("clock-skew", `${what}, and this machine's clock says ${new Date(nowMs).toISOString()}`, {
    hint: "Set the clock of this machine.",
  });
}
