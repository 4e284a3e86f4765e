import { fileURLToPath } from "node:url";

/**
 * The server as one file without dependencies, to be run by node or copied into a container:
 * `node <entry> --root FOLDER --fallback FILE|none`, listening on `PORT` and `HOST`. `npm run bundle` makes it.
 */
export const staticServerEntry: string = fileURLToPath(new URL("../dist/main.bundle.js", import.meta.url));
