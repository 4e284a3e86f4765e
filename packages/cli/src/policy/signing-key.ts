import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "@helixstack/core/client";

/** The home's own key to sign packs with, made on first use and trusted by this home. Resolves to its file. */
export async function ensureSigningKey(home: string): Promise<string> {
  const file = join(home, "keys", "policy-signing.pem");
  await mkdir(join(home, "keys", "policy"), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await writeFile(file, privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600, flag: "wx" });
  }
  const trusted = join(home, "keys", "policy", "own.pem");
  if (!existsSync(trusted)) await writeFile(trusted, await publicHalf(file), { mode: 0o644 });
  return file;
}

/** The key that was named, if it is one that bundles can be signed with. */
export async function checkSigningKey(file: string): Promise<string> {
  await publicHalf(file);
  return file;
}

async function publicHalf(file: string): Promise<string> {
  try {
    const key = createPublicKey(createPrivateKey(await readFile(file)));
    if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new Error("it is no key of the curve P-256");
    return key.export({ type: "spki", format: "pem" }).toString();
  } catch (error) {
    const hint = "Make one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`.";
    throw new EngineError("USAGE", `The key ${file} cannot be used: ${(error as Error).message}`, { hint });
  }
}
