const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?$/;
const IPV6 = /^\[[0-9A-Fa-f:.]{2,45}\]$/;
const PORT = /^[0-9]{0,5}$/;
const REMEMBERED = 4096;

const known = new Map<string, string | null>();

/**
 * The host name of a Host value: lower case, without port and final dot; null when the value is not one valid host.
 * Answers are remembered, since the same few come with every request.
 */
export function hostName(value: string): string | null {
  const found = known.get(value);
  if (found !== undefined) return found;
  const name = parse(value);
  if (known.size >= REMEMBERED) known.clear();
  known.set(value, name);
  return name;
}

function parse(value: string): string | null {
  if (value.length > 300) return null;
  const colon = value.lastIndexOf(":");
  const hasPort = colon > value.lastIndexOf("]");
  const host = hasPort ? value.slice(0, colon) : value;
  if (hasPort && !isPort(value.slice(colon + 1))) return null;
  if (IPV6.test(host)) return host.toLowerCase();
  if (host.length > 254 || !NAME.test(host) || host.includes("..")) return null;
  return (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535;
}
