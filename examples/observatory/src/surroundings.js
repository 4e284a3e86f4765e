import { arch, platform, release } from "node:os";
import { json } from "./json.js";

/** The whole environment, or `?name=GREETING` alone. For tests: a real application never shows this. */
export function environment(_request, response, { url }) {
  const name = url.searchParams.get("name");
  json(response, name === null ? { ...process.env } : { [name]: process.env[name] ?? null });
}

export function timeZone(_request, response) {
  const { timeZone: zone, locale } = Intl.DateTimeFormat().resolvedOptions();
  json(response, { zone, locale, offsetMinutes: new Date(0).getTimezoneOffset(), now: new Date().toISOString() });
}

export function whoAmI(_request, response) {
  json(response, {
    pid: process.pid,
    ppid: process.ppid,
    uid: process.getuid(),
    gid: process.getgid(),
    cwd: process.cwd(),
    argv: process.argv,
    execPath: process.execPath,
    node: process.versions.node,
    system: { platform: platform(), arch: arch(), release: release() },
    umask: process.umask(),
    startedAt: new Date(performance.timeOrigin).toISOString(),
  });
}

/** `?allocate=50000000` keeps that many bytes more. */
const kept = [];
export function memory(_request, response, { url }) {
  const bytes = Number(url.searchParams.get("allocate") ?? 0);
  if (bytes > 0) kept.push(Buffer.alloc(bytes, 1));
  const limit = process.constrainedMemory?.() ?? null;
  json(response, { ...process.memoryUsage(), keptBytes: kept.reduce((sum, buffer) => sum + buffer.length, 0), limit });
}
