/** How many links one path may lead through, as on Linux. */
const LONGEST_CHAIN = 40;

/**
 * Where a link leads within a tree, `""` for the tree's root; null when it leads out of it. Other links on the way are followed as the kernel would:
 * `a/..` is not always what stands before `a`.
 */
export function linkDestination(link: string, links: ReadonlyMap<string, string>): string | null {
  const target = links.get(link);
  if (target === undefined) return link;
  const start = link.split("/").slice(0, -1);
  return walk(start, target, { links, followed: { count: 1 } })?.join("/") ?? null;
}

interface Walk {
  readonly links: ReadonlyMap<string, string>;
  readonly followed: { count: number };
}

function walk(start: readonly string[], target: string, state: Walk): readonly string[] | null {
  if (target.startsWith("/")) return null;
  let at = start;
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.length === 0) return null;
      at = at.slice(0, -1);
      continue;
    }
    const next = [...at, part];
    const through = state.links.get(next.join("/"));
    if (through === undefined) {
      at = next;
      continue;
    }
    if (++state.followed.count > LONGEST_CHAIN) return null;
    const led = walk(at, through, state);
    if (led === null) return null;
    at = led;
  }
  return at;
}
