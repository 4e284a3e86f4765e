import { join } from "node:path";
import type { Builder } from "./build-user.ts";
import { searchPath } from "./search-path.ts";
import type { Tool } from "./tool.ts";

type Env = Readonly<Record<string, string>>;

/** Environment of every npm that is run. Its cache is the plugin's own, so that a build changes nothing of the user's. */
export function npmEnv({ home }: Pick<Builder, "home">): Env {
  return {
    PATH: searchPath(),
    NO_COLOR: "1",
    npm_config_cache: join(home, "npm-cache"),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_progress: "false",
    npm_config_update_notifier: "false",
    npm_config_prefer_offline: "true",
  };
}

/** Environment in which a project's package manager and its scripts run. `NODE_ENV` is not set: a build needs its dev dependencies. */
export function toolEnv({ user, home, programs }: Builder, tool: Tool): Env {
  // Settings of the engine's user may hold credentials of its own.
  const own = user === null ? {} : { HOME: home, npm_config_userconfig: join(home, ".npmrc") };
  const env = { ...npmEnv({ home }), PATH: searchPath(tool.path, programs), ...own };
  if (tool.kind !== "yarn-berry") return env;
  return {
    ...env,
    YARN_GLOBAL_FOLDER: join(home, "yarn-berry"),
    YARN_ENABLE_TELEMETRY: "0",
    YARN_ENABLE_COLORS: "0",
    YARN_ENABLE_PROGRESS_BARS: "0",
    // Plug'n'Play would need yarn itself to start the application, and hard links would share files with the cache.
    YARN_NODE_LINKER: "node-modules",
    YARN_NM_MODE: "classic",
  };
}
