import { basename } from "node:path";

const LONGEST = 40;

/** A project name out of a folder's: lower case letters, digits and dashes, beginning with a letter. */
export function nameFromFolder(folder: string): string {
  const words = basename(folder)
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, LONGEST)
    .replace(/-+$/, "");
  return words === "" ? "app" : words;
}
