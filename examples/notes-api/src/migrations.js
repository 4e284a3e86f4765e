import { readdirSync } from "node:fs";

const folder = new URL("../migrations/", import.meta.url);

/** The migration files in the order in which they are applied. */
export const migrations = readdirSync(folder)
  .filter((name) => name.endsWith(".sql"))
  .sort()
  .map((name) => new URL(name, folder));
