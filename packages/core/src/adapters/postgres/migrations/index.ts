import type { Migration } from "kysely";
import { up as first } from "./0001-first.ts";

/** Every migration there ever was, by name, in order. A released one is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-first": { up: first },
};
