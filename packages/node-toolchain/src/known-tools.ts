import type { PackageJson } from "./package-json.ts";

/** Start scripts that serve while one develops: they are not what shall run in production. */
const DEV_SERVER =
  /^(?:npx )?(?:react-scripts start|vite(?: |$)(?!build)|ng serve|vue-cli-service serve|webpack(?:-dev-server| serve)|parcel(?: (?!build)|$)|gatsby develop|astro dev|docusaurus start|storybook dev)/;

/** Whether a script only runs the development server of a tool that builds sites. */
export function isDevServer(script: string): boolean {
  const withoutEnv = script.trim().replace(/^(?:cross-env )?(?:[A-Za-z_][A-Za-z0-9_]*=\S* )*/, "");
  return DEV_SERVER.test(withoutEnv);
}

/** Tools whose build is one page that draws all paths itself, so that unknown paths want `index.html`. */
const SITE_TOOLS: readonly (readonly [dependency: string, name: string])[] = [
  ["vite", "Vite"],
  ["react-scripts", "Create React App"],
  ["@angular/cli", "Angular"],
  ["@vue/cli-service", "Vue CLI"],
  ["parcel", "Parcel"],
];

/** The name of the site tool that a project depends on, or null. */
export function siteToolOf(packageJson: PackageJson): string | null {
  const has = (name: string): boolean => name in packageJson.dependencies || name in packageJson.devDependencies;
  return SITE_TOOLS.find(([dependency]) => has(dependency))?.[1] ?? null;
}
