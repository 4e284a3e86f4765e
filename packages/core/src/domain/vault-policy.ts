/** Whose secrets a policy lets through. */
export interface VaultPolicyScope {
  /** Where the KV v2 engine is mounted. */
  readonly mount: string;
  /** The folder below it that HelixStack keeps to. */
  readonly prefix: string;
  readonly organization: string;
  /** Null: all projects, and the plugins' own credentials. */
  readonly project: string | null;
}

/** The policy that a control plane's credential needs, and not a line more. It can read and write values and list names; it can change no policy, role or mount. */
export function vaultPolicy({ mount, prefix, organization, project }: VaultPolicyScope): string {
  const place = [prefix, organization, ...(project === null ? [] : ["projects", project])].join("/");
  const rules: readonly (readonly [part: string, tail: string, capabilities: readonly string[]])[] = [
    ["data", "/*", ["create", "read", "update"]],
    ["metadata", "/*", ["create", "read", "update", "list"]],
    ["destroy", "/*", ["create", "update"]],
  ];
  return rules
    .map(([part, tail, capabilities]) => {
      const list = capabilities.map((one) => `"${one}"`).join(", ");
      return `path "${mount}/${part}/${place}${tail}" {\n  capabilities = [${list}]\n}\n`;
    })
    .join("\n");
}

/** The path of a secret's folder, below `<mount>/data/` and `<mount>/metadata/`. */
export function vaultPath(prefix: string, segments: readonly string[]): string {
  return [prefix, ...segments].join("/");
}
