import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { Cli } from "../cli.ts";
import { spanOption } from "../options.ts";
import { helixHome } from "../plane/home.ts";
import { compilePack } from "./compile.ts";
import { findOpa } from "./opa-program.ts";
import { readPackSource } from "./pack-source.ts";
import { checkSigningKey, ensureSigningKey } from "./signing-key.ts";

export interface BuildOptions {
  readonly output?: string;
  readonly name?: string;
  readonly packVersion?: string;
  readonly expires?: string;
  readonly key?: string;
  readonly install?: boolean;
}

/** Compiles, signs, and puts the bundle where it was asked for. */
export async function buildPack(cli: Cli, path: string, options: BuildOptions): Promise<void> {
  const opa = findOpa(cli);
  const source = await readPackSource(path, { cwd: cli.cwd, opa });
  const home = helixHome(cli.env);
  const key = options.key === undefined ? await ensureSigningKey(home) : await checkSigningKey(resolve(cli.cwd, options.key));
  const now = Date.now();
  const forMs = spanOption("--expires", options.expires);
  const name = options.name ?? source.name;
  const issuedAt = new Date(now).toISOString();
  const mark = {
    name,
    version: options.packVersion ?? issuedAt.replace(/\D/g, "").slice(0, 14),
    serial: now,
    issuedAt,
    ...(forMs !== undefined && { expiresAt: new Date(now + forMs).toISOString() }),
  };
  const bundle = await compilePack(source, { opa, mark, key });
  const file = options.install ? join(home, "policies", `${name}.tar.gz`) : resolve(cli.cwd, options.output ?? `${name}.tar.gz`);
  await put(file, bundle);
  const { entrypoints, layout, isV0 } = source;
  const document = {
    file,
    name,
    version: mark.version,
    layout,
    rego: isV0 ? "v0" : "v1",
    entrypoints,
    signedWith: key,
    installed: options.install === true,
  };
  cli.result(document, () => relative(cli.cwd, file) || file);
  if (isV0) cli.note("  It is written in Rego v0 and was built with --v0-compatible. `opa fmt --v0-v1 -w` brings it up to date.");
  if (layout === "conftest") cli.note("  Layout of conftest: deny and violation refuse, warn advises; input is the resolved manifest.");
  cli.note(
    options.install
      ? "  It decides from the next deploy on."
      : `  next: helix policy backtest ${relative(cli.cwd, file)}, then helix policy build --install`,
  );
}

/** Whole or not at all: it may be looked at just now. */
async function put(file: string, content: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const half = `${file}.${process.pid}.half`;
  await writeFile(half, content);
  await rename(half, file);
}
