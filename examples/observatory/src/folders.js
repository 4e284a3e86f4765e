import { readFile, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { json } from "./json.js";

/** `/write/NAME`: POST writes the body to a file of the work folder, GET reads it. `?in=tmp` for the temporary folder. */
export function work(request, response, { url, rest }) {
  const folder = url.searchParams.get("in") === "tmp" ? tmpdir() : process.cwd();
  return files(request, response, { folder, name: rest });
}

/** `/data/NAME`: the same in `DATA_DIR`, or with `?volume=NAME` in that volume. */
export function data(request, response, { url, rest }) {
  const volume = url.searchParams.get("volume");
  const variable = volume === null ? "DATA_DIR" : `HELIX_VOLUME_${volume.toUpperCase().replaceAll("-", "_")}`;
  const folder = process.env[variable];
  if (folder === undefined) return json(response, { error: `${variable} is not set` }, 404);
  return files(request, response, { folder, name: rest });
}

async function files(request, response, { folder, name }) {
  if (name === "") return json(response, { folder, files: (await readdir(folder)).sort() });
  const file = join(folder, basename(name));
  try {
    if (request.method === "POST") await writeFile(file, await text(request));
    json(response, { file, content: await readFile(file, "utf8") });
  } catch (error) {
    json(response, { file, error: error.code }, error.code === "ENOENT" ? 404 : 403);
  }
}
