/** How the embedded server is started. It is small, listens on the loopback alone, and loses nothing that it has acknowledged. */
export function serverArguments(input: { readonly postgres: string; readonly folder: string; readonly port: number }): readonly string[] {
  const settings = { ...SETTINGS, port: String(input.port) };
  return [input.postgres, "-D", input.folder, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

/** The server's whole environment. */
export const SERVER_ENVIRONMENT: Readonly<Record<string, string>> = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" };

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "60",
  shared_buffers: "16MB",
  work_mem: "4MB",
  maintenance_work_mem: "16MB",
  wal_buffers: "1MB",
  min_wal_size: "32MB",
  max_wal_size: "256MB",
  huge_pages: "off",
  jit: "off",
  fsync: "on",
  synchronous_commit: "on",
  // No replica ever reads this log.
  wal_level: "minimal",
  max_wal_senders: "0",
  io_method: "sync",
  autovacuum_max_workers: "1",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
  // A dropped client is noticed while its statement still runs.
  client_connection_check_interval: "1s",
  tcp_keepalives_idle: "30",
};
