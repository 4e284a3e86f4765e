import type { SecretChange } from "@helixstack/core/client";
import { EngineError } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import type { Http } from "../client/http.ts";
import { canAsk, confirm } from "../confirm.ts";
import type { EnvFile } from "./env-file.ts";
import type { SecretPlace } from "./place.ts";

const SIGNS = { create: "+", update: "~", same: " " } as const;

/** Names with what becomes of them; never a value. */
export function changesText(cli: Cli, changes: readonly SecretChange[]): string {
  const { green, yellow, dim } = cli.err.colors;
  const paint = { create: green, update: yellow, same: dim };
  return changes.map(({ name, action }) => `  ${paint[action](`${SIGNS[action]} ${name}`)}`).join("\n");
}

/** Says what would be set, asks where something would be replaced, and sets it. */
export async function pushValues(
  cli: Cli,
  { http, place, file, yes }: { readonly http: Http; readonly place: SecretPlace; readonly file: EnvFile; readonly yes: boolean },
): Promise<readonly SecretChange[]> {
  const { values, skipped } = file;
  const path = `${place.path}/import`;
  const { items } = await http.request<{ items: SecretChange[] }>("POST", path, { body: { values, dryRun: true }, repeatable: true });
  cli.note(changesText(cli, items));
  for (const { name, why } of skipped) cli.note(`  - ${name} is left out: it ${why}`);
  if (items.every(({ action }) => action === "same")) return items;
  await mayReplace(cli, { names: items.filter(({ action }) => action === "update").map(({ name }) => name), where: place.shown, yes });
  const done = await http.request<{ items: SecretChange[] }>("POST", path, { body: { values } });
  warnShort(cli, values);
  return done.items;
}

/** Nothing is lost by adding; replacing is asked for. */
export async function mayReplace(
  cli: Cli,
  { names, where, yes }: { readonly names: readonly string[]; readonly where: string; readonly yes: boolean },
): Promise<void> {
  if (names.length === 0 || yes) return;
  const question = `Replace ${names.join(", ")} in ${where}?`;
  if (!canAsk(cli)) throw new EngineError("CONFIRMATION_NEEDED", `This would ask: ${question}`, { hint: "Add --yes." });
  if (!(await confirm(cli, question))) throw new EngineError("CANCELLED", "Nothing was changed.");
}

/** What is too short to be told from other text is not masked in logs. */
export function warnShort(cli: Cli, values: Readonly<Record<string, string>>): void {
  const short = Object.entries(values).filter(([, value]) => value.length < 4);
  if (short.length > 0) cli.note(`  ${short.map(([name]) => name).join(", ")}: values under 4 characters are not masked in logs`);
}
