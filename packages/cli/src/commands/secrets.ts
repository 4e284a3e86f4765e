import { EngineError, type SecretItem } from "@helixstack/core/client";
import type { Command } from "commander";
import { resolve } from "node:path";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { withEnvironment } from "../options.ts";
import { table } from "../output/table.ts";
import { ago } from "../output/time.ts";
import { type Session, openSession } from "../plane/session.ts";
import { type DiffOptions, diff } from "../secrets/diff.ts";
import { readEnvFile } from "../secrets/env-file.ts";
import { pushValues, warnShort } from "../secrets/merge.ts";
import { type PlaceOptions, type SecretPlace, checkName, placeOf } from "../secrets/place.ts";
import { generatedValue, readValue } from "../secrets/read-value.ts";
import { type SetupVaultOptions, setupVault } from "../secrets/setup-vault.ts";

interface SetOptions extends PlaceOptions {
  readonly generate?: boolean;
  readonly key?: boolean;
  readonly yes?: boolean;
}

export function define(command: Command): void {
  const child = (name: string, description: string) =>
    withEnvironment(command.command(name).description(description))
      .option("-p, --project <name>", "the project (default: the manifest's)")
      .option("--plugin <name>", "a plugin's own credential instead");
  child("set", "set a secret; its value comes from stdin or a prompt")
    .argument("<name>")
    .option("--generate", "make a value of 256 random bits, which nobody sees")
    .action(action<SetOptions>((cli, { args: [name], options }) => set(cli, checkName(name!), options)));
  child("ls", "names and versions, never values").action(action<SetOptions>((cli, { options }) => list(cli, options)));
  child("rm", "destroy a secret with all its versions")
    .argument("<name>")
    .option("-y, --yes", "do not ask")
    .action(action<SetOptions>((cli, { args: [name], options }) => remove(cli, checkName(name!), options)));
  child("rotate", "replace a secret that is there, unless somebody else just did; or the local store's key")
    .argument("[name]")
    .option("--generate", "make a value of 256 random bits, which nobody sees")
    .option("--key", "seal everything with a new key")
    .action(action<SetOptions>((cli, { args: [name], options }) => rotate(cli, name, options)));
  child("import", "set what a .env file has")
    .argument("<path>")
    .option("-y, --yes", "replace without asking")
    .action(action<SetOptions>((cli, { args: [path], options }) => importFile(cli, path!, options)));
  child("diff", "what the manifest lists and the store has; or a .env file; or another environment")
    .argument("[path]")
    .option("--with <environment>", "compare with this environment's names")
    .action(action<DiffOptions>((cli, { args: [path], options }) => diff(cli, path, options)));
  command
    .command("setup-vault")
    .description("print the policy and commands for HashiCorp Vault or OpenBao; --connect stores the credential")
    .option("--mount <path>", "where KV v2 is mounted", "secret")
    .option("--prefix <path>", "the folder below it", "helix")
    .option("-p, --project <name>", "a policy for this project alone")
    .option("--address <url>", "Vault's address (default: VAULT_ADDR)")
    .option("--namespace <name>", "Vault's namespace (default: VAULT_NAMESPACE)")
    .option("--connect", "read the credential as JSON from stdin, and use this Vault from now on")
    .action(action<SetupVaultOptions>((cli, { options }) => setupVault(cli, options)));
}

async function set(cli: Cli, name: string, options: SetOptions): Promise<void> {
  const place = placeOf(cli, options);
  const value = options.generate ? generatedValue() : await readValue(cli, `Value of ${name}`);
  const { http } = await openHere(cli);
  const secret = await http.request<SecretItem>("PUT", pathOf(place, name), { body: { value }, repeatable: false });
  warnShort(cli, { [name]: value });
  tell(cli, { secret, place, verb: "is set" });
}

async function rotate(cli: Cli, name: string | undefined, options: SetOptions): Promise<void> {
  if (options.key === true) return rotateKey(cli);
  if (name === undefined)
    throw new EngineError("USAGE", "Which secret?", { hint: "`helix secrets rotate NAME`, or `--key` for the local store's key." });
  checkName(name);
  const place = placeOf(cli, options);
  const { http } = await openHere(cli);
  const { items } = await http.request<{ items: readonly SecretItem[] }>("GET", place.path);
  const now = items.find((item) => item.name === name);
  if (!now)
    throw new EngineError("SECRET_NOT_FOUND", `${place.shown} has no secret ${name}.`, { hint: `Run \`helix secrets set ${name}\`.` });
  const value = options.generate ? generatedValue() : await readValue(cli, `New value of ${name}`);
  const secret = await http.request<SecretItem>("PUT", pathOf(place, name), { body: { value, expect: now.version } });
  tell(cli, { secret, place, verb: "is rotated" });
}

async function rotateKey(cli: Cli): Promise<void> {
  const { http } = await openHere(cli);
  const answer = await http.request<{ resealed: number }>("POST", "/v1/secret-store/rotate-key", { body: {} });
  cli.result(answer, () => `the key is new; ${answer.resealed} values were sealed with it`);
}

async function list(cli: Cli, options: SetOptions): Promise<void> {
  const place = placeOf(cli, options);
  const { http } = await openHere(cli);
  const { items } = await http.request<{ items: readonly SecretItem[] }>("GET", place.path);
  cli.result({ secrets: items }, () => {
    const rows = items.map(({ name, version, updatedAt }) => [name, version, ago(updatedAt, Date.now())]);
    return table(["name", "version", "set"], rows) || `${place.shown} has no secrets.`;
  });
}

async function remove(cli: Cli, name: string, options: SetOptions): Promise<void> {
  const place = placeOf(cli, options);
  const question = `Destroy ${name} of ${place.shown} with all its versions? No release that needs it can be rolled back to.`;
  if (!options.yes && !(await confirm(cli, question))) throw new EngineError("CANCELLED", "Nothing was removed.");
  const { http } = await openHere(cli);
  await http.request("DELETE", pathOf(place, name));
  cli.result({ secret: { name } }, () => `${name} is gone`);
}

async function importFile(cli: Cli, path: string, options: SetOptions): Promise<void> {
  const place = placeOf(cli, options);
  const file = readEnvFile(resolve(cli.cwd, path));
  const { http } = await openHere(cli);
  const secrets = await pushValues(cli, { http, place, file, yes: options.yes === true });
  cli.result({ secrets, skipped: file.skipped }, () => `${secrets.filter(({ action: done }) => done !== "same").length} set`);
}

function openHere(cli: Cli): Promise<Session> {
  return openSession(cli, { start: "control", onProgress: cli.note });
}

function pathOf({ path }: SecretPlace, name: string): string {
  return `${path}/${encodeURIComponent(name)}`;
}

function tell(
  cli: Cli,
  { secret, place, verb }: { readonly secret: SecretItem; readonly place: SecretPlace; readonly verb: string },
): void {
  cli.result({ secret }, () => `${secret.name} ${verb} in ${place.shown}: version ${secret.version}`);
  cli.note(`  What runs keeps the version it was given; \`helix deploy${place.flags.replace(/ --plugin .*/, "")}\` brings this one.`);
}
