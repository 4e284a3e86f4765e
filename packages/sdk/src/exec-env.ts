/**
 * What every program needs to find its helpers, the user's settings and the network. Nothing else of the engine's surroundings reaches
 * a program that a plugin runs: no token, no database address, no NODE_ENV.
 */
const NAMES = new Set(
  [
    "PATH HOME USER LOGNAME LANG LANGUAGE TZ TMPDIR XDG_RUNTIME_DIR",
    "HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy",
    // The host's mark: what a dead host left running is found and ended by it.
    "HELIX_PLUGIN_HOST",
    "NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR GIT_SSL_CAINFO SSH_AUTH_SOCK",
  ].flatMap((line) => line.split(" ")),
);

/** How npm reaches its registry. Its other settings would carry over from an `npm run` that happens to be around the engine. */
const NPM_SETTING = /^npm_config_(registry|cafile|ca|cert|key|proxy|https_proxy|noproxy|strict_ssl|userconfig|globalconfig|@.*|\/\/.*)$/i;

/** The part of this process's environment that programs inherit. */
export function inheritedEnv(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => NAMES.has(name) || name.startsWith("LC_") || NPM_SETTING.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? ""]));
}
