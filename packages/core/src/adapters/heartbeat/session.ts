/** What PostgreSQL calls the session in which a worker's heart beats. */
export const HEARTBEAT_SESSION = "helix-heartbeat";
