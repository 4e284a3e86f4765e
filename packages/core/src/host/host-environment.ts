/**
 * What a plugin's process sees of the engine's environment: where programs and temporary files are, and how the network is reached. No token, no
 * database address. Credentials in npm's own variables stay out too: a build asks for them as secrets.
 */
const ALLOWED =
  /^(PATH|HOME|LANG|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(https?|no|all)_proxy|npm_config_(@[\w-]+:)?(registry|cache|userconfig|globalconfig|https?_proxy|proxy|no_?proxy|ca|cafile|strict_ssl|offline|prefer_offline|nodedir|fetch_\w+))$/i;

export function hostEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const allowed = Object.entries(env).filter(([name, value]) => value !== undefined && ALLOWED.test(name));
  return Object.fromEntries(allowed) as Record<string, string>;
}
