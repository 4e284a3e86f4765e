import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { writeWhole } from "../adapters/files.ts";
import { newTokenValue, tokenHash } from "../api/tokens/token-value.ts";
import type { HomeLayout } from "../config/index.ts";
import type { Ledger } from "../ports/ledger.ts";

const FILE = "local-token";
const NAME = "local";

/** The token with which this home's owner speaks to its control plane; null before the first start. */
export function readLocalToken(layout: HomeLayout): string | null {
  try {
    return readFileSync(join(layout.keys, FILE), "utf8").trim();
  } catch {
    return null;
  }
}

/** Makes a local token where there is none that the ledger takes (it is missing, was revoked, or the ledger is a restored one), under the name of the operating system's user. No account is needed for local use. */
export async function ensureLocalToken(layout: HomeLayout, ledger: Ledger): Promise<void> {
  const known = readLocalToken(layout);
  if (known !== null && (await ledger.authenticate(tokenHash(known)))) return;
  const scope = await ledger.ensurePrincipal({ kind: "person", name: userName() });
  // A ledger that was restored from a backup knows the token of a home whose keys are not here.
  const former = (await ledger.listTokens(scope)).find(({ name, revokedAt }) => name === NAME && revokedAt === null);
  if (former) await ledger.revokeToken(scope, former.id);
  const token = newTokenValue();
  await ledger.createToken(scope, { name: NAME, hash: tokenHash(token) });
  await writeWhole(join(layout.keys, FILE), `${token}\n`, 0o600);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
