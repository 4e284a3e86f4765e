import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { writeOnce } from "../adapters/files.ts";
import { newTokenValue, tokenHash } from "../api/tokens/token-value.ts";
import type { HomeLayout } from "../config/index.ts";
import type { Ledger } from "../ports/ledger.ts";

const FILE = "local-token";

/** The token with which this home's owner speaks to its control plane; null before the first start. */
export function readLocalToken(layout: HomeLayout): string | null {
  try {
    return readFileSync(join(layout.keys, FILE), "utf8").trim();
  } catch {
    return null;
  }
}

/** Makes the local token where it is missing and has the ledger know it, under the name of the operating system's user. No account is needed for local use. */
export async function ensureLocalToken(layout: HomeLayout, ledger: Ledger): Promise<void> {
  const token = (await writeOnce(join(layout.keys, FILE), `${newTokenValue()}\n`)).trim();
  const hash = tokenHash(token);
  if (await ledger.authenticate(hash)) return;
  const scope = await ledger.ensurePrincipal({ kind: "person", name: userName() });
  await ledger.createToken(scope, { name: "local", hash });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
