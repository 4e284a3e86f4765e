import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { APPLICATION } from "./application.ts";

/** A proxy that is switched by writing its configuration anew and reloading it: how it is done without HelixStack. */
export interface ReloadedProxy {
  readonly name: string;
  readonly port: number;
  readonly pid: () => Promise<number>;
  /** Points it at another port; returns when the reload was reported. */
  readonly pointAt: (port: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export const NGINX = "/usr/sbin/nginx";
export const HAPROXY = "/usr/sbin/haproxy";

/** nginx with one worker. Null where it is not on this machine. */
export async function startNginx(target: number): Promise<ReloadedProxy | null> {
  if (!existsSync(NGINX)) return null;
  const folder = await mkdtemp(join(tmpdir(), "nginx-"));
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  const config = (to: number) => `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1; user root;
events { worker_connections 8192; }
http {
  access_log off; keepalive_timeout 75s; keepalive_requests 1000000000; client_max_body_size 0; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  upstream app { server 127.0.0.1:${to}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096;
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off;
      proxy_set_header Host $http_host; proxy_set_header Connection $connection_upgrade; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Proto http;
      proxy_set_header X-Request-Id $request_id;
    }
  }
}
`;
  await writeFile(file, config(target));
  const child = spawn(NGINX, ["-c", file, "-e", join(folder, "error.log")], { stdio: "ignore" });
  await untilOpen(port);
  return {
    name: "nginx reload",
    port,
    pid: async () => Number(await readFile(join(folder, "pid"), "utf8")),
    async pointAt(to) {
      await writeFile(file, config(to));
      execFileSync(NGINX, ["-c", file, "-e", join(folder, "error.log"), "-s", "reload"]);
    },
    stop: () => end(child, folder),
  };
}

/** HAProxy in master-worker mode, which hands its listeners on. Null where it is not on this machine. */
export async function startHaproxy(target: number): Promise<ReloadedProxy | null> {
  if (!existsSync(HAPROXY)) return null;
  const folder = await mkdtemp(join(tmpdir(), "haproxy-"));
  const port = await freePort();
  const file = join(folder, "haproxy.cfg");
  await writeFile(file, haproxyByHand(folder, { port, target }));
  const child = spawn(HAPROXY, ["-W", "-db", "-f", file], { stdio: "ignore" });
  await untilOpen(port);
  return {
    name: "haproxy reload",
    port,
    pid: async () => child.pid!,
    async pointAt(to) {
      await writeFile(file, haproxyByHand(folder, { port, target: to }));
      process.kill(child.pid!, "SIGUSR2");
    },
    stop: () => end(child, folder),
  };
}

/** What somebody who knows HAProxy would write for one application. The headers are those that HelixStack's plugin sets. */
export function haproxyByHand(folder: string, { port, target }: { readonly port: number; readonly target: number }): string {
  return `global
  stats socket ${folder}/admin.sock mode 600 level admin expose-fd listeners
  hard-stop-after 30s
defaults
  mode http
  timeout client 60s
  timeout http-request 15s
  timeout http-keep-alive 75s
  timeout connect 5s
  timeout server 120s
  timeout tunnel 1h
  http-reuse always
  retries 1
  retry-on conn-failure empty-response
frontend web
  bind 127.0.0.1:${port}
  http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE }
  http-request set-header X-Request-Id %[uuid] unless { req.hdr(x-request-id) -m reg ^[A-Za-z0-9._-]{1,128}$ }
  http-request set-var(txn.id) req.hdr(x-request-id)
  http-after-response set-header X-Request-Id %[var(txn.id)]
  http-request del-header te
  http-request del-header trailer
  http-request del-header proxy
  http-request del-header proxy-connection
  http-request del-header forwarded
  http-request del-header x-real-ip
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Proto http
  http-request add-header Via "1.1 haproxy"
  http-response set-header X-Release 1
  default_backend app
backend app
  server app 127.0.0.1:${target}
`;
}

/** The application as a process of its own, on a port of its own. */
export interface Application {
  readonly port: number;
  /** Asks it to end; it finishes what it has. */
  readonly end: () => Promise<void>;
}

export async function startApplication(mark: string): Promise<Application> {
  const port = await freePort();
  const env = { PATH: process.env["PATH"], MARK: mark, PORT: String(port), HOST: "127.0.0.1" };
  const child = spawn(process.execPath, ["-e", APPLICATION], { env, stdio: "ignore" });
  await untilOpen(port);
  return { port, end: () => ended(child, "SIGTERM", 5000) };
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  await ended(child, "SIGTERM", 3000);
  await rm(folder, { recursive: true, force: true });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await exit;
  clearTimeout(timer);
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export async function untilOpen(port: number): Promise<void> {
  for (const until = performance.now() + 15_000; performance.now() < until; await sleep(5)) {
    const isOpen = await fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => (void answer.body?.cancel(), true),
      () => false,
    );
    if (isOpen) return;
  }
  throw new Error(`nothing answers on port ${port}`);
}
