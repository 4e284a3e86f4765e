import { readFileSync } from "node:fs";

/** The version of this engine, which plugins name a range of. */
export const ENGINE_VERSION = (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string })
  .version;
