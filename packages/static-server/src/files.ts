import { readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { lookup } from "mrmime";

/** A file of the site. */
export interface SiteFile {
  readonly real: string;
  readonly size: number;
  readonly modified: Date;
  readonly type: string;
  /** Small files are kept in memory. */
  readonly content: Buffer | null;
}

/** What a path leads to. */
export type Found = SiteFile | "folder" | null;

const KEPT_FILES = 10_000;
const SMALL_BYTES = 32 * 1024;
const KEPT_BYTES = 8 * 1024 * 1024;

/**
 * Finds the files of a site by decoded path: the path itself, with `.html`, or the `index.html` in it. A link that leads outside the
 * site is not there. Remembers what it found: the files of an artifact do not change.
 */
export class SiteFiles {
  readonly #root: string;
  readonly #known = new Map<string, SiteFile | "folder">();
  #keptBytes = 0;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(root: string): Promise<SiteFiles> {
    const real = await realpath(root).catch(() => null);
    if (real === null || !(await stat(real)).isDirectory()) throw new Error(`there is no folder ${root} to serve`);
    return new SiteFiles(real);
  }

  async find(path: string): Promise<Found> {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const found = await this.#look(path);
    if (found !== null && this.#known.size < KEPT_FILES) this.#known.set(path, found);
    return found;
  }

  async #look(path: string): Promise<Found> {
    if (path.endsWith("/")) return this.#read(`${path}index.html`);
    const exact = await this.#read(path);
    if (exact !== null) return exact;
    const page = await this.#read(`${path}.html`);
    if (page !== null) return page;
    return (await this.#read(`${path}/index.html`)) === null ? null : "folder";
  }

  async #read(path: string): Promise<SiteFile | null> {
    try {
      const real = await realpath(join(this.#root, path));
      if (!real.startsWith(this.#root + sep)) return null;
      const stats = await stat(real);
      if (!stats.isFile()) return null;
      return { real, size: stats.size, modified: stats.mtime, type: typeOf(path), content: await this.#keep(real, stats.size) };
    } catch {
      return null;
    }
  }

  async #keep(real: string, size: number): Promise<Buffer | null> {
    if (size > SMALL_BYTES || this.#keptBytes + size > KEPT_BYTES) return null;
    this.#keptBytes += size;
    return readFile(real);
  }
}

function typeOf(path: string): string {
  const type = lookup(path) ?? "application/octet-stream";
  return /^text\/|^application\/(?:json|javascript|xml|manifest\+json)$|^image\/svg/.test(type) ? `${type};charset=utf-8` : type;
}
