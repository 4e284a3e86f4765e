export { isDevServer, siteToolOf } from "./known-tools.ts";
export { refuseLeaks } from "./leaks.ts";
export { type Lockfile, type Manager, type ManagerKind, detectManager } from "./manager.ts";
export { type PackageJson, hasDependencies, readPackageJson } from "./package-json.ts";
export { type Project, installDependencies, openProject, pruneDependencies, runScript } from "./project.ts";
export { describeToolchain } from "./tool.ts";
export { type Found, walk } from "./walk.ts";
