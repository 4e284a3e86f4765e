import type { Migration } from "kysely";
import { up as first } from "./0001-first.ts";
import { up as waivers } from "./0002-waivers.ts";
import { up as tokenProject } from "./0003-token-project.ts";
import { up as restored } from "./0004-restored.ts";
import { up as restoredAt } from "./0005-restored-at.ts";

/** Every migration there ever was, by name, in order. A released one is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-first": { up: first },
  "0002-waivers": { up: waivers },
  "0003-token-project": { up: tokenProject },
  "0004-restored": { up: restored },
  "0005-restored-at": { up: restoredAt },
};
