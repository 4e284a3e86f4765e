import type { Ledger, Scope } from "../ports/index.ts";

/** What ids of the ledger stand for. */
export interface Names {
  /** Null for an environment that is not there. */
  environment(scope: Scope, id: string): Promise<EnvironmentName | null>;
  /** Null for nobody. */
  principal(scope: Scope, id: string): Promise<string | null>;
}

export interface EnvironmentName {
  readonly project: string;
  readonly name: string;
}

/** A page of a list asks for the same few again and again. */
const MOST = 10_000;

/** Nothing is ever renamed, and no id given away twice: what was read once is known. */
export function createNames(ledger: Pick<Ledger, "environment" | "principal">): Names {
  return {
    environment: remembering(async (scope, id) => {
      const found = await ledger.environment(scope, id);
      return found && { project: found.projectName, name: found.name };
    }),
    principal: remembering(async (scope, id) => (await ledger.principal(scope, id))?.name ?? null),
  };
}

type Read<T> = (scope: Scope, id: string) => Promise<T | null>;

function remembering<T>(read: Read<T>): Read<T> {
  const known = new Map<string, T>();
  return async (scope, id) => {
    const key = `${scope.organization}/${id}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const found = await read(scope, id);
    if (found === null) return null;
    if (known.size >= MOST) known.clear();
    known.set(key, found);
    return found;
  };
}
