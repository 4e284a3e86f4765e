import type { SecretChange } from "@helixstack/core/client";
import type { Command } from "commander";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { withEnvironment } from "../options.ts";
import { openSession } from "../plane/session.ts";
import { mergeEnvText, parseEnvText, readEnvFile } from "../secrets/env-file.ts";
import { changesText, mayReplace, pushValues } from "../secrets/merge.ts";
import { type PlaceOptions, placeOf } from "../secrets/place.ts";
import { unlistedNote } from "../secrets/unlisted.ts";

interface EnvOptions extends PlaceOptions {
  readonly yes?: boolean;
}

export function define(command: Command): void {
  const child = (name: string, description: string) =>
    withEnvironment(command.command(name).description(description), "--file")
      .argument("[path]", "the file", ".env")
      .option("-p, --project <name>", "the project (default: the manifest's)")
      .option("-y, --yes", "replace without asking");
  child("push", "set what the file has and the store has not, or has otherwise").action(
    action<EnvOptions>((cli, { args: [path], options }) => push(cli, path!, options)),
  );
  child("pull", "write what the store has into the file; the use is recorded").action(
    action<EnvOptions>((cli, { args: [path], options }) => pull(cli, path!, options)),
  );
}

async function push(cli: Cli, path: string, options: EnvOptions): Promise<void> {
  const place = placeOf(cli, options);
  const file = readEnvFile(resolve(cli.cwd, path));
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const items = await pushValues(cli, { http, place, file, yes: options.yes === true });
  cli.result({ secrets: items, skipped: file.skipped }, () => sentence(items, place.shown));
  cli.note(unlistedNote(cli, options, Object.keys(file.values)));
}

async function pull(cli: Cli, path: string, options: EnvOptions): Promise<void> {
  const place = placeOf(cli, options);
  const target = resolve(cli.cwd, path);
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const { values } = await http.request<{ values: Record<string, string> }>("POST", `${place.path}/pull`, { body: {} });
  const text = existsSync(target) ? readFileSync(target, "utf8") : "";
  const now = parseEnvText(text).values;
  const items = Object.entries(values).map(([name, value]): SecretChange => {
    if (!(name in now)) return { name, action: "create" };
    return { name, action: now[name] === value ? "same" : "update" };
  });
  cli.note(changesText(cli, items));
  await mayReplace(cli, {
    names: items.filter(({ action }) => action === "update").map(({ name }) => name),
    where: path,
    yes: options.yes === true,
  });
  writeClosed(target, mergeEnvText(text, values));
  cli.result({ file: target, secrets: items }, () => sentence(items, path));
}

/** Never half, and closed to others from its first byte on. */
function writeClosed(target: string, text: string): void {
  const half = `${target}.${process.pid}.tmp`;
  writeFileSync(half, text, { mode: 0o600, flag: "wx" });
  renameSync(half, target);
}

function sentence(items: readonly SecretChange[], where: string): string {
  const count = (action: SecretChange["action"]) => items.filter((item) => item.action === action).length;
  return `${where}: ${count("create")} added, ${count("update")} replaced, ${count("same")} unchanged`;
}
