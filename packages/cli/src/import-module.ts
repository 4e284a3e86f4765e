/** Imports a module by a name that neither compiler nor bundler follows: the command is built without the server, and loads of it what it needs, when it does. */
export function importModule(name: string): Promise<unknown> {
  return import(name);
}
