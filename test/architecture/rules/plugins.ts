import type { SourceFile } from "../source-file.ts";
import { named } from "./packages.ts";
import { type Rule, isListed, perFile, places } from "./rule.ts";

/** Packages of this repository that plugins may use. */
const OURS = [
  "@helixstack/sdk",
  "@helixstack/route-tables",
  "@helixstack/supervisor",
  "@helixstack/static-server",
  "@helixstack/node-toolchain",
];

/** What talks to a provider: the vendor's SDK, or the client of a process of ours. */
const VENDORS = ["dockerode", "cloudflare", "@aws-sdk/*", "@helixstack/supervisor"];

/** Folders of processes that a plugin brings along. They are programs of their own, not code that the host runs. */
const DAEMONS = ["plugins/router/src/data-plane/"];

const isPlugin = ({ path }: SourceFile): boolean => path.startsWith("plugins/") && !DAEMONS.some((folder) => path.startsWith(folder));
const isClient = ({ path }: SourceFile): boolean => path.endsWith("/client.ts");

export const pluginImports: Rule = perFile("plugins import the SDK and helpers, nothing of the engine and no other plugin", (file) =>
  file.path.startsWith("plugins/")
    ? named(file.imports, (name) => name.startsWith("@helixstack/") && !OURS.includes(name), "may not import")
    : [],
);

export const vendorInClient: Rule = perFile("only client.ts imports the vendor's SDK", (file) =>
  isPlugin(file) && !isClient(file) ? named(file.imports, (name) => isListed(name, VENDORS), "is not client.ts and imports") : [],
);

export const narrowContext: Rule = perFile("plugins read no environment and write to no console: their context has all they need", (file) =>
  isPlugin(file) && !isClient(file) ? places(file, /\bprocess\.(env|stdout|stderr|exit)\b|\bconsole\.\w+/g) : [],
);

export const pluginShape: Rule = {
  name: "every plugin has an index.ts whose default export is its definition",
  check(files) {
    const names = new Set(files.filter(({ path }) => path.startsWith("plugins/")).map(({ path }) => path.split("/")[1]!));
    return [...names]
      .filter(
        (name) => !files.some(({ path, code }) => path === `plugins/${name}/src/index.ts` && code.includes("export default definePlugin(")),
      )
      .map((name) => `plugins/${name}/src/index.ts is not there, or does not \`export default definePlugin(...)\``);
  },
};
