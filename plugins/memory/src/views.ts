import type { Identity, LogLine, ObservedRevision, ObservedTable, Owned } from "@helixstack/sdk";
import { specDigest } from "@helixstack/sdk";
import type { MemoryRevision, MemoryTable } from "./world.ts";

/** A record as the contract shows a revision. */
export function observedRevision({ spec, phase }: MemoryRevision): ObservedRevision<Record<string, never>> {
  const address = spec.options["endpoint"] as { host: string; port: number } | undefined;
  const instance = { phase, restarts: 0, lastExit: null, memoryBytes: null, cpuSeconds: null };
  return {
    state: {},
    phase,
    endpoints: phase === "running" ? each(spec.replicas, address ? { kind: "http", ...address } : { kind: "none" }) : [],
    instances: each(spec.replicas, instance),
    specDigest: specDigest(spec),
  };
}

/** A record as the contract shows a route table. A service that was given no port has one that follows from its name. */
export function observedTable({ table, identity }: MemoryTable): ObservedTable<Record<string, never>> {
  const addresses = table.routes.map(({ service, hosts, port }) => {
    const chosen = port ?? 20_000 + (Number.parseInt(specDigest([identity.unit, service]).slice(0, 6), 16) % 10_000);
    return { service, url: `http://${hosts[0] ?? "127.0.0.1"}:${chosen}`, address: { host: "127.0.0.1", port: chosen } };
  });
  return { state: {}, generation: table.generation, table, addresses };
}

/** What of these carries the installation's tag. */
export function ownedBy(
  installation: string,
  things: Readonly<Record<string, { readonly identity: Identity }>>,
  kind: string,
): readonly Owned[] {
  const own = Object.entries(things).filter(([, { identity }]) => identity.installation === installation);
  return own.map(([id, { identity }]) => ({ identity, kind, id, description: `${kind} of ${identity.names.service}` }));
}

/** The log with one line more. */
export function said(lines: readonly LogLine[], text: string): readonly LogLine[] {
  const cursor = String(Number(lines.at(-1)?.cursor ?? 0) + 1);
  return [...lines, { cursor, at: new Date().toISOString(), stream: "stdout", instance: 0, text }];
}

function each<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value);
}
