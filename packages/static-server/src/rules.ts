/** Whether a decoded path may be answered at all: nothing hidden, nothing above the root, no manifest. */
export function isPublic(path: string): boolean {
  return path.split("/").every((name) => !name.startsWith(".") && !/^helix\.ya?ml$/i.test(name));
}

/** Whether the last name has an extension: such a path is a file or nothing, never a page of the application. */
export function hasExtension(path: string): boolean {
  return /\.[^./]+$/.test(path.slice(path.lastIndexOf("/") + 1));
}

// Bundlers put the content's hash into the name and the file into a folder of its own. Both must hold, so that `my-document.pdf` is
// not kept by browsers for a year.
const ASSET_FOLDER = /\/(?:assets|static|_astro|_next|_nuxt|_app|chunks|js|css|media|build)\//;
const HASHED_NAME = /[.-]([A-Za-z0-9_-]{8,64})(?:\.[A-Za-z0-9]+){1,2}$/;

/** Whether the file's name says that its content never changes. */
export function isImmutable(path: string): boolean {
  const hash = ASSET_FOLDER.test(path) ? HASHED_NAME.exec(path)?.[1]?.split("-").at(-1) : undefined;
  if (hash === undefined || hash.length < 8) return false;
  return (/\d/.test(hash) && /[A-Za-z]/.test(hash)) || (hash.length === 8 && /[a-z]/.test(hash) && /.[A-Z]/.test(hash));
}
