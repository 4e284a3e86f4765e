import { PassThrough, type Readable } from "node:stream";
import { pack, type Headers } from "tar-fs";

/** A folder as a tar stream, each entry's head changed by `map`. */
export function archive(folder: string, map: (header: Headers) => Headers): Readable {
  const packed = pack(folder, { map });
  const out = new PassThrough();
  packed.on("error", (error: Error) => out.destroy(error));
  packed.pipe(out as never);
  return out;
}
