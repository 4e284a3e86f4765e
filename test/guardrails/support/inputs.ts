type Chance = () => number;

const pick = <T>(chance: Chance, values: readonly T[]): T => values[Math.floor(chance() * values.length)]!;
const some = <T>(chance: Chance, most: number, make: (i: number) => T): T[] =>
  Array.from({ length: Math.floor(chance() * (most + 1)) }, (_, i) => make(i));
const word = (chance: Chance, length: number): string => Array.from({ length }, () => pick(chance, LETTERS)).join("");

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_.- äß€".split("");
const VALUES = [
  "hello",
  "",
  "abcdef",
  "[masked: AWS access key]",
  "[masked: likely secret]",
  "https://example.org/a?b=c",
  `AKIA${"ABCDEFGHIJKLMNOP"}`,
  "postgres://u:password@h/d",
  "a sentence of words",
];
const NAMES = ["GREETING", "DB_PASSWORD", "API_KEY", "TOKEN_TTL", "NODE_ENV", "MY_SECRET"];
const BASES = [
  "node",
  "node:22",
  "node:latest",
  "scratch",
  "registry.example:5000/team/app",
  "debian@sha256:0123",
  "registry.example:5000/app:1.2",
];
const USERS = ["", "root", "0:0", "app", "1000:1000", null];

/** An input as the engine could make one: mostly in order, with all that rules look at varied, and now and then with a part missing. */
export function randomInput(chance: Chance, maturity: string): Record<string, unknown> {
  const names = ["web", ...some(chance, 4, (i) => `service-${i}`)];
  const services = Object.fromEntries(names.map((name) => [name, service(chance)]));
  const input: Record<string, unknown> = {
    point: pick(chance, ["plan", "artifact", "release"]),
    time: new Date(Date.UTC(2026, 0, 1) + Math.floor(chance() * 365 * 86_400_000)).toISOString(),
    environment: pick(chance, ["production", "staging", "preview/x"]),
    deployment: pick(chance, [null, { kind: "deploy" }, { kind: "rollback" }]),
    manifest: { project: "shop", services, guardrails: { maturity }, rollback: { keep: pick(chance, [0, 1, 3]), forMs: 60_000 } },
    artifacts: chance() < 0.3 ? {} : Object.fromEntries(names.map((name) => [name, artifact(chance)])),
    sources: Object.fromEntries(
      names.map((name) => [name, { files: 3, sizeBytes: 100, lockfiles: some(chance, 1, () => "package-lock.json") }]),
    ),
    plugins: {
      [pick(chance, ["process", "docker"])]: {
        permissions: { net: [], secrets: [], exec: some(chance, 2, () => pick(chance, ["node", "npm", "git"])), fs: [] },
      },
    },
    cost: pick(chance, [null, { monthly: Math.floor(chance() * 200), currency: "EUR" }]),
  };
  if (chance() < 0.03) delete input[pick(chance, Object.keys(input))];
  return input;
}

function service(chance: Chance): Record<string, unknown> {
  return {
    source: ".",
    build: pick(chance, ["node", "static", "dockerfile"]),
    runtime: pick(chance, ["process", "docker"]),
    delivery: "router",
    env: Object.fromEntries(
      some(chance, 5, (i) => [
        `${pick(chance, NAMES)}${chance() < 0.3 ? `_${i}` : ""}`,
        chance() < 0.4 ? word(chance, Math.floor(chance() * 60)) : pick(chance, VALUES),
      ]),
    ),
    health: { path: pick(chance, [null, "/health"]), timeoutMs: 60_000 },
    volumes: pick(chance, [{}, { data: { path: "/data", writers: "single" } }, { data: { path: "/data", writers: "many" } }]),
    replicas: pick(chance, [1, 2, 5, 50, 51, 100]),
    resources: { memoryBytes: pick(chance, [null, 268_435_456, 17_179_869_184, 17_179_869_185, 2 ** 40]), cpu: null },
    labels: pick(chance, [{}, { owner: "" }, { owner: "shop-team" }, { owner: "a", team: "b" }]),
    options: pick(chance, [{}, { fly: { region: "ams" } }, { static: { dir: "dist" } }]),
  };
}

function artifact(chance: Chance): Record<string, unknown> {
  return {
    kind: pick(chance, ["node-bundle", "static-site", "oci-image"]),
    digest: "sha256:00",
    sizeBytes: pick(chance, [null, 1_000, 2_147_483_648, 2_147_483_649, 5_000_000_000]),
    base: some(chance, 2, () => pick(chance, BASES)),
    user: pick(chance, USERS),
    packages: some(chance, 4, (i) => ({ name: `package-${i}`, version: `1.${i}.0`, installScripts: chance() < 0.3 })),
  };
}

/** Bounds that let every rule speak: the shipped ones leave most of them open. */
export const TIGHT = {
  replicas: { min: 2, max: 4 },
  memory: { maxBytes: 268_435_456 },
  labels: ["team"],
  providers: { build: ["node", "static"], runtime: ["docker"], delivery: null },
  regions: ["fra"],
  permissions: { net: null, secrets: [], exec: ["node"], fs: [] },
  cost: { monthlyMax: 100 },
  artifact: { maxBytes: 1_000_000 },
  installScripts: ["package-1"],
  freeze: [
    { name: "Fridays", days: ["Friday"], from: "12:00", to: "24:00", zone: "Europe/Berlin" },
    { name: "summer", from: "2026-07-01T00:00:00+02:00", to: "2026-08-01T00:00:00+02:00", environments: ["production"], rollback: false },
  ],
};
