import { execFileSync } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import pg from "pg";

/** A place that holds a secret, and in which form. */
export interface Hit {
  readonly place: string;
  readonly form: string;
}

/** What a secret looks like where a program has written it. The edges of base64 depend on neighbours, so its stable middle is looked for. */
export function formsOf(value: string): Readonly<Record<string, string>> {
  const bytes = Buffer.from(value);
  const base64 = (offset: number) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  };
  return {
    raw: value,
    "base64+0": base64(0),
    "base64+1": base64(1),
    "base64+2": base64(2),
    hex: bytes.toString("hex"),
    HEX: bytes.toString("hex").toUpperCase(),
    url: encodeURIComponent(value),
    json: JSON.stringify(value).slice(1, -1),
  };
}

export interface Searched {
  readonly home: string;
  readonly values: readonly string[];
  /** Other folders: a queue's append-only file. */
  readonly folders?: readonly string[];
  /** Texts that somebody got: answers of the API, output of commands. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Label of the containers and images to look into; absent where there is no Docker. */
  readonly project?: string;
}

/** Everything that a search of one installation finds. */
export async function searchSecrets({ home, values, folders = [], texts = {}, project }: Searched): Promise<readonly Hit[]> {
  const needles = values.flatMap((value) => Object.entries(formsOf(value)));
  const hits: Hit[] = [];
  const look = (place: string, content: Buffer | string): void => {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (const [form, needle] of needles) if (bytes.includes(needle)) hits.push({ place, form });
  };
  look("database dump", await dumpDatabase(home));
  for (const folder of [home, ...folders]) for (const file of await filesBelow(folder)) look(file, await readFile(file).catch(() => ""));
  for (const [name, text] of Object.entries(texts)) look(name, text);
  for (const { place, content } of await foreignProcesses()) look(place, content);
  if (project !== undefined) for (const { place, content } of await dockerWorld(project)) look(place, content);
  return hits;
}

/** Every row of every table, the queue's too, after a checkpoint so that the files have what the tables have. */
async function dumpDatabase(home: string): Promise<string> {
  const { port } = JSON.parse(await readFile(join(home, "data/postgres.json"), "utf8")) as { port: number };
  const password = (await readFile(join(home, "keys/postgres"), "utf8")).trim();
  const client = new pg.Client({ connectionString: `postgres://helix:${password}@127.0.0.1:${port}/helix` });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      "select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'",
    );
    const dumps = [];
    for (const { name } of tables)
      dumps.push((await client.query<{ row: string }>(`select t::text as row from ${name} t`)).rows.map(({ row }) => row));
    await client.query("checkpoint").catch(() => undefined);
    return dumps.flat().join("\n");
  } finally {
    await client.end();
  }
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Environment and command line of every process that is not the application's own. */
async function foreignProcesses(): Promise<readonly { place: string; content: Buffer }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const all = await Promise.all(
    pids.map(async (pid) => {
      const [environ, cmdline] = await Promise.all(
        ["environ", "cmdline"].map((file) => readFile(`/proc/${pid}/${file}`).catch(() => Buffer.alloc(0))),
      );
      const isApplication = environ!.includes("HELIX_SERVICE=");
      return [
        ...(isApplication ? [] : [{ place: `/proc/${pid}/environ of ${shown(cmdline!)}`, content: environ! }]),
        { place: `/proc/${pid}/cmdline of ${shown(cmdline!)}`, content: cmdline! },
      ];
    }),
  );
  return all.flat();
}

function shown(cmdline: Buffer): string {
  return cmdline.toString().replaceAll("\0", " ").slice(0, 60);
}

/** What Docker knows and keeps of a project: configuration, images with their layers and history, its own log files, and the builder's books. */
async function dockerWorld(project: string): Promise<readonly { place: string; content: Buffer | string }[]> {
  const docker = new Docker({ socketPath: "/var/run/docker.sock" });
  const containers = await docker.listContainers({ all: true, filters: { label: [`helix.project=${project}`] } });
  const inspected = await Promise.all(
    containers.map(async ({ Id, Names }) => ({
      place: `docker inspect ${Names[0]}`,
      content: JSON.stringify(await docker.getContainer(Id).inspect()),
    })),
  );
  const built = await docker.listImages({ filters: { reference: [`helix/${project}-web`] } });
  const images = [...new Set([...containers.map(({ ImageID }) => ImageID), ...built.map(({ Id }) => Id)])];
  const known = await Promise.all(
    images.map(async (image) => {
      const [inspection, history] = await Promise.all([docker.getImage(image).inspect(), docker.getImage(image).history()]);
      return { place: `docker history ${image.slice(7, 19)}`, content: JSON.stringify([inspection, history]) };
    }),
  );
  const saved = images.map((image) => ({
    place: `docker save ${image.slice(7, 19)}`,
    content: execFileSync("docker", ["--host", "unix:///var/run/docker.sock", "save", image], { maxBuffer: 1 << 30 }),
  }));
  const { DockerRootDir } = (await docker.info()) as { DockerRootDir: string };
  const logs = containers.map(({ Id }) => join(DockerRootDir, "containers", Id));
  const books = await filesBelow(join(DockerRootDir, "buildkit"));
  const files = [...(await Promise.all(logs.map(filesBelow))).flat(), ...books.filter((file) => file.endsWith(".db"))];
  const kept = await Promise.all(
    files.map(async (file) => ({ place: `docker's file ${file}`, content: await readFile(file).catch(() => "") })),
  );
  return [...inspected, ...known, ...saved, ...kept];
}
