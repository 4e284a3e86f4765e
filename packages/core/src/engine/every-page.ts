import type { Page, Paged } from "../ports/index.ts";

const LIMIT = 100;

/** All items of a list that is read in pages. */
export async function everyPage<T>(read: (page: Page) => Promise<Paged<T>>): Promise<readonly T[]> {
  const found: T[] = [];
  for (let cursor: string | null = null; ;) {
    const { items, next }: Paged<T> = await read({ limit: LIMIT, cursor });
    found.push(...items);
    if (next === null) return found;
    cursor = next;
  }
}
