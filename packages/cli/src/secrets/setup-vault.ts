import { EngineError, vaultPolicy } from "@helixstack/core/client";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Cli } from "../cli.ts";
import { helixHome } from "../plane/home.ts";
import { openSession } from "../plane/session.ts";

export interface SetupVaultOptions {
  readonly mount: string;
  readonly prefix: string;
  readonly project?: string;
  readonly address?: string;
  readonly namespace?: string;
  readonly connect?: boolean;
}

const CREDENTIAL_KEYS = ["token", "roleId", "secretId", "wrappedSecretId"];

/** Prints what Vault's operator has to run; with `--connect`, keeps the credential that came of it. */
export async function setupVault(cli: Cli, options: SetupVaultOptions): Promise<void> {
  return options.connect === true ? connect(cli, options) : print(cli, options);
}

async function print(cli: Cli, { mount, prefix, ...options }: SetupVaultOptions): Promise<void> {
  const project = options.project ?? null;
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const { organization } = await http.request<{ organization: string }>("GET", "/v1/principal");
  const policy = vaultPolicy({ mount, prefix, organization, project });
  const name = project === null ? "helix" : `helix-${project}`;
  const commands = [
    `vault secrets enable -path=${mount} -version=2 kv    # unless it is there`,
    `vault policy write ${name} helix-policy.hcl           # the policy above, as a file`,
    "vault auth enable approle                             # unless it is",
    `vault write auth/approle/role/${name} token_policies=${name} token_ttl=20m token_max_ttl=4h`,
    `vault read -field=role_id auth/approle/role/${name}/role-id`,
    `vault write -wrap-ttl=10m -field=wrapping_token -f auth/approle/role/${name}/secret-id`,
    `helix secrets setup-vault --connect --address "$VAULT_ADDR"   # stdin: {"roleId":"...","wrappedSecretId":"..."}`,
  ];
  cli.result({ policy, commands, organization }, () => `# helix-policy.hcl\n${policy}\n# commands\n${commands.join("\n")}`);
}

/** The credential goes from the pipe into a file that only the owner can read; no environment and no argument has it. */
async function connect(cli: Cli, options: SetupVaultOptions): Promise<void> {
  const address = options.address ?? cli.env["VAULT_ADDR"];
  if (!address || !URL.canParse(address))
    throw new EngineError("USAGE", "Where is Vault?", { hint: "Add --address https://vault.example:8200, or set VAULT_ADDR." });
  if (process.stdin.isTTY)
    throw new EngineError("USAGE", "The credential comes from a pipe.", {
      hint: 'Pipe in {"roleId":"...","wrappedSecretId":"..."} or {"token":"..."}.',
    });
  const credential = parse(await text(process.stdin));
  const namespace = options.namespace ?? cli.env["VAULT_NAMESPACE"];
  const keys = join(helixHome(cli.env), "keys");
  const file = join(keys, "vault.json");
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const half = `${file}.${process.pid}.tmp`;
  const document = { address, mount: options.mount, prefix: options.prefix, ...(namespace && { namespace }), ...credential };
  writeFileSync(half, `${JSON.stringify(document)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(half, file);
  cli.result({ file, address }, () => file);
  cli.note("  A control plane that runs takes it up when it is started again: helix down --control, then any command.");
}

function parse(input: string): Readonly<Record<string, string>> {
  const fault = new EngineError("USAGE", "What came from the pipe is no credential.", {
    hint: 'It is {"roleId":"...","wrappedSecretId":"..."}, {"roleId":"...","secretId":"..."} or {"token":"..."}.',
  });
  try {
    const read = JSON.parse(input) as Record<string, unknown>;
    const isKnown = Object.entries(read).every(
      ([key, value]) => CREDENTIAL_KEYS.includes(key) && typeof value === "string" && value !== "",
    );
    const isWhole = "token" in read || ("roleId" in read && ("secretId" in read || "wrappedSecretId" in read));
    if (!isKnown || !isWhole) throw fault;
    return read as Record<string, string>;
  } catch {
    throw fault;
  }
}
