import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBundle } from "../../packages/core/src/adapters/opa/read-bundle.ts";
import { verifyBundle } from "../../packages/core/src/adapters/opa/verify-bundle.ts";
import { MATURITIES } from "../../packages/core/src/domain/manifest.ts";
import { SECRET_SHAPES, maskOf } from "../../packages/core/src/domain/secret-shapes.ts";
import { type GeneratedFile, type Generator, root } from "./generator.ts";

/** Raised together whenever a pack changes: an installation takes no bundle that is older than the one it knows. */
const RELEASE = { version: "1.0.0", serial: 1 } as const;
/** What `opa` calls a key that nobody named. */
const KEY_ID = "default";
const ENTRYPOINT = "helix/guardrails/decision";
const KEY_FILE = "packages/core/src/adapters/opa/shipped-key.ts";
const folder = join(root, "guardrails");
const opa = process.env["HELIX_OPA"] ?? findOnPath("opa");

/**
 * The packs that ship, compiled and signed. The signing key is made for one set of bundles and thrown away: there is none to keep or to lose, and nobody can sign
 * another bundle with it. Bundles that are fresh are left as they are.
 */
export const guardrails: Generator = async () => {
  const secrets = secretsData();
  const known = await readFile(join(root, KEY_FILE), "utf8").catch(() => "");
  const trusted = /-----BEGIN[^`]*-----END PUBLIC KEY-----\n/.exec(known)?.[0] ?? "";
  const temp = await mkdtemp(join(tmpdir(), "helix-guardrails-"));
  try {
    const isFresh = await Promise.all(MATURITIES.map(async (level) => isSame(level, { temp, secrets, trusted })));
    if (!isFresh.every(Boolean)) return [text("guardrails/baseline/secrets.json", secrets), ...(await signAll(temp, secrets))];
    const bundles = MATURITIES.map(async (level) => ({ path: bundlePath(level), content: await readFile(join(root, bundlePath(level))) }));
    return [text("guardrails/baseline/secrets.json", secrets), { path: KEY_FILE, content: known }, ...(await Promise.all(bundles))];
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
};

interface Sameness {
  readonly temp: string;
  readonly secrets: string;
  readonly trusted: string;
}

/**
 * Whether the committed bundle says what the sources say now. Without `opa` the compiled part is taken on trust of the signature: the bundle's metadata has
 * the digest of what it was compiled from.
 */
async function isSame(level: string, { temp, secrets, trusted }: Sameness): Promise<boolean> {
  const file = join(root, bundlePath(level));
  if (!existsSync(file) || trusted === "") return false;
  try {
    const bundle = await readBundle(await readFile(file));
    verifyBundle(bundle, [{ id: KEY_ID, publicKey: createPublicKey(trusted) }]);
    const assembled = await assemble(level, { temp, secrets });
    if (opa) {
      const fresh = await readBundle(await compile(assembled, []));
      return [...fresh.files].every(([name, content]) => bundle.files.get(name)?.equals(content));
    }
    const { metadata } = bundle.manifest as { metadata?: { helix?: { sources?: string } } };
    return metadata?.helix?.sources === (await sourcesOf(assembled));
  } catch {
    return false;
  }
}

async function signAll(temp: string, secrets: string): Promise<readonly GeneratedFile[]> {
  if (!opa) throw new Error("the guardrails have changed: set HELIX_OPA to the program `opa`, then run `npm run generate`");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyFile = join(temp, "key.pem");
  await writeFile(keyFile, privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  const signing = ["--signing-key", keyFile, "--signing-alg", "ES256"];
  const bundles = await Promise.all(
    MATURITIES.map(async (level) => ({
      path: bundlePath(level),
      content: await compile(await assemble(level, { temp, secrets }), signing),
    })),
  );
  const publicKey = createPublicKey(createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" })));
  return [{ path: KEY_FILE, content: keyModule(publicKey.export({ type: "spki", format: "pem" }).toString()) }, ...bundles];
}

/** A bundle's folder: the rules of the baseline, the data of baseline and level as one, a manifest. No tests. */
async function assemble(level: string, { temp, secrets }: { readonly temp: string; readonly secrets: string }): Promise<string> {
  const target = await mkdtemp(join(temp, `${level}-`));
  const rules = (await readdir(join(folder, "baseline"))).filter((name) => name.endsWith(".rego") && !name.endsWith("_test.rego"));
  for (const name of rules) await copyFile(join(folder, "baseline", name), join(target, name));
  const parts = [await json("baseline/data.json"), await json(`${level}/data.json`), JSON.parse(secrets) as Part];
  const data = { helix: Object.assign({}, ...parts.map(({ helix }) => helix)) as Part["helix"] };
  await writeFile(join(target, "data.json"), JSON.stringify(data));
  const metadata = { helix: { name: `guardrails/${level}`, kind: "helix", ...RELEASE, sources: await sourcesOf(target) } };
  await writeFile(join(target, ".manifest"), JSON.stringify({ revision: RELEASE.version, roots: ["helix"], metadata }));
  return target;
}

/** Digest of the rules and the data, as they stand in the sources: `opa` writes rules anew. */
async function sourcesOf(assembled: string): Promise<string> {
  const hash = createHash("sha256");
  const names = (await readdir(assembled)).filter((name) => name.endsWith(".rego") || name === "data.json").toSorted();
  for (const name of names)
    hash
      .update(`${name}\0`)
      .update(await readFile(join(assembled, name)))
      .update("\0");
  return `sha256:${hash.digest("hex")}`;
}

interface Part {
  readonly helix: Readonly<Record<string, unknown>>;
}

async function compile(source: string, signing: readonly string[]): Promise<Buffer> {
  const output = join(source, "..", `${source.split("/").at(-1)}.tar.gz`);
  execFileSync(opa!, ["build", "-t", "wasm", "-e", ENTRYPOINT, "-b", ".", "-o", output, ...signing], {
    cwd: source,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return readFile(output);
}

async function json(path: string): Promise<Part> {
  return JSON.parse(await readFile(join(folder, path), "utf8")) as Part;
}

function secretsData(): string {
  const { entropyMaxLength, patterns, ...rest } = SECRET_SHAPES;
  const shapes = { patterns: patterns.map((one) => ({ ...one, mask: maskOf(one.name) })), ...rest };
  const log2 = Array.from({ length: entropyMaxLength }, (_, i) => Math.log2(i + 1));
  return `${JSON.stringify({ helix: { secrets: { ...shapes, log2 } } }, null, 1)}\n`;
}

function keyModule(pem: string): string {
  return `// Generated by npm run generate; do not edit.
/** Verifies the bundles in \`guardrails/bundles\`, which were signed together. Its private half was thrown away. */
export const SHIPPED_KEY = { id: "${KEY_ID}", pem: \`${pem}\` } as const;
`;
}

function bundlePath(level: string): string {
  return `guardrails/bundles/${level}.tar.gz`;
}

function text(path: string, content: string): GeneratedFile {
  return { path, content };
}

function findOnPath(program: string): string | null {
  const folders = (process.env["PATH"] ?? "").split(":");
  return folders.map((one) => join(one, program)).find((file) => existsSync(file)) ?? null;
}
