import { sql, type Kysely } from "kysely";
import { newId } from "../../../domain/ids.ts";

/** The first ledger. Every row but the installation's own carries its organization; every key begins with it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [ACCESS, PROJECTS, DEPLOYMENTS, RUNS, RELEASES, WORLD, EVENTS, WORKERS]) await sql.raw(part).execute(db);
  const now = Date.now();
  await sql`insert into helix.installation (id, epoch) values (${newId("ins", now)}, 1)`.execute(db);
  await sql`insert into helix.organization (id, name) values (${newId("org", now)}, 'default')`.execute(db);
}

const ACCESS = `
  create table helix.installation (
    id text primary key,
    epoch integer not null,
    created_at timestamptz not null default now(),
    only_one boolean not null default true unique check (only_one)
  );
  create table helix.organization (
    id text primary key,
    name text not null unique,
    created_at timestamptz not null default now()
  );
  create table helix.principal (
    organization text not null references helix.organization,
    id text not null,
    kind text not null check (kind in ('person', 'token', 'system')),
    name text not null,
    created_at timestamptz not null default now(),
    primary key (organization, id)
  );
  create unique index principal_by_name on helix.principal (organization, kind, name) where kind <> 'token';
  create table helix.token (
    organization text not null,
    id text not null,
    name text not null,
    principal text not null,
    hash text not null unique,
    created_at timestamptz not null default now(),
    created_by text not null,
    revoked_at timestamptz,
    last_used_at timestamptz,
    primary key (organization, id),
    foreign key (organization, principal) references helix.principal,
    foreign key (organization, created_by) references helix.principal
  );
  create unique index token_live_name on helix.token (organization, name) where revoked_at is null;
`;

const PROJECTS = `
  create table helix.project (
    organization text not null references helix.organization,
    id text not null,
    name text not null,
    created_at timestamptz not null default now(),
    primary key (organization, id),
    unique (organization, name)
  );
  create table helix.environment (
    organization text not null,
    id text not null,
    project text not null,
    name text not null,
    live_release text,
    active_deployment text,
    last_release_number integer not null default 0,
    created_at timestamptz not null default now(),
    primary key (organization, id),
    unique (organization, project, name),
    foreign key (organization, project) references helix.project
  );
`;

const DEPLOYMENTS = `
  create table helix.deployment (
    organization text not null,
    id text not null,
    environment text not null,
    project text not null,
    request json not null,
    state text not null check (state in ('queued', 'running', 'compensating', 'live', 'failed', 'cancelled', 'superseded')),
    no_change boolean not null default false,
    plan json,
    release text,
    error json,
    principal text not null,
    message text,
    superseded_by text,
    cancel_requested_by text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz,
    deadline_at timestamptz not null,
    primary key (organization, id),
    foreign key (organization, environment) references helix.environment,
    foreign key (organization, principal) references helix.principal,
    check ((ended_at is not null) = (state in ('live', 'failed', 'cancelled', 'superseded')))
  );
  create index deployment_of_environment on helix.deployment (organization, environment, id desc);
  create index deployment_of_project on helix.deployment (organization, project, id desc);
  create index deployment_queued on helix.deployment (organization, environment, id) where state = 'queued';
  -- Whatever a bug does, two deployments never hold one environment.
  create unique index deployment_running on helix.deployment (organization, environment) where state in ('running', 'compensating');
  create table helix.idempotency (
    organization text not null,
    principal text not null,
    key text not null,
    request_hash text not null,
    deployment text not null,
    created_at timestamptz not null default now(),
    primary key (organization, principal, key)
  );
`;

const RUNS = `
  create table helix.run (
    organization text not null,
    id text not null,
    deployment text not null,
    environment text not null,
    kind text not null check (kind in ('main', 'cleanup', 'repair')),
    state text not null check (state in ('waiting', 'ready', 'held', 'done', 'quarantined')),
    due_at timestamptz not null default now(),
    worker text,
    fence bigint not null default 0,
    crashes integer not null default 0,
    last_commit text,
    woken_at timestamptz,
    primary key (organization, id),
    foreign key (organization, deployment) references helix.deployment,
    check ((worker is not null) = (state = 'held'))
  ) with (fillfactor = 70);
  create index run_of_deployment on helix.run (organization, deployment);
  create index run_ready on helix.run (due_at) where state = 'ready';
  create index run_held on helix.run (worker) where state = 'held';
  create unique index run_one_main on helix.run (organization, deployment) where kind = 'main';
  create unique index run_one_repair on helix.run (organization, environment) where kind = 'repair' and state in ('waiting', 'ready', 'held');
  create table helix.step (
    organization text not null,
    deployment text not null,
    id text not null,
    ordinal bigint generated always as identity,
    kind text not null,
    service text,
    state text not null check (state in ('intended', 'done', 'failed', 'skipped', 'undone')),
    attempt integer not null,
    operation_id text not null,
    fence bigint not null,
    worker text not null,
    plugin text,
    outcome json,
    error json,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    primary key (organization, deployment, id),
    foreign key (organization, deployment) references helix.deployment
  );
  create table helix.outbox (
    id bigint generated always as identity primary key,
    organization text not null,
    run text not null,
    due_at timestamptz not null default now()
  );
  create index outbox_due on helix.outbox (due_at);
`;

const RELEASES = `
  create table helix.release (
    organization text not null,
    id text not null,
    environment text not null,
    deployment text not null,
    number integer not null,
    services json not null,
    manifest json not null,
    config_hash text not null,
    snapshot text not null,
    plugins json not null,
    policy_bundle text not null,
    findings json not null,
    principal text not null,
    created_at timestamptz not null default now(),
    primary key (organization, id),
    unique (organization, environment, number),
    foreign key (organization, deployment) references helix.deployment
  );
  create table helix.build (
    organization text not null references helix.organization,
    input_key text not null,
    artifact json not null,
    plugin text not null,
    created_at timestamptz not null default now(),
    primary key (organization, input_key)
  );
  create table helix.decision (
    organization text not null,
    id text not null,
    deployment text not null,
    point text not null,
    input json not null,
    input_digest text not null,
    decision json not null,
    at timestamptz not null default now(),
    primary key (organization, id),
    foreign key (organization, deployment) references helix.deployment
  );
  create index decision_of_deployment on helix.decision (organization, deployment, id);
`;

const WORLD = `
  create table helix.unit (
    organization text not null,
    id text not null,
    environment text not null,
    service text not null,
    plane text not null,
    plugin text not null,
    created_at timestamptz not null default now(),
    primary key (organization, id),
    unique (organization, environment, service, plane, plugin),
    foreign key (organization, environment) references helix.environment
  );
  create table helix.revision (
    organization text not null,
    id text not null,
    unit text not null,
    environment text not null,
    service text not null,
    deployment text not null,
    release text,
    plugin text not null,
    plugin_version text not null,
    spec json not null,
    state text not null check (state in ('starting', 'serving', 'draining', 'warm', 'retiring', 'gone', 'forgotten')),
    plugin_state json,
    state_version integer,
    endpoints json not null default '[]',
    created_at timestamptz not null default now(),
    retire_at timestamptz,
    forgotten_by text,
    forgotten_reason text,
    primary key (organization, id),
    foreign key (organization, unit) references helix.unit,
    foreign key (organization, deployment) references helix.deployment
  );
  create index revision_present on helix.revision (organization, environment, id) where state not in ('gone', 'forgotten');
  create table helix.route_table (
    organization text not null,
    environment text not null,
    plugin text not null,
    unit text not null,
    "table" json,
    plugin_state json,
    addresses json not null default '[]',
    generation bigint not null,
    primary key (organization, environment, plugin),
    foreign key (organization, unit) references helix.unit
  );
  create table helix.volume (
    organization text not null,
    id text not null,
    environment text not null,
    service text not null,
    name text not null,
    plugin text not null,
    handle json,
    state text not null check (state in ('wanted', 'there', 'gone', 'forgotten')),
    created_at timestamptz not null default now(),
    forgotten_by text,
    forgotten_reason text,
    primary key (organization, id),
    foreign key (organization, environment) references helix.environment
  );
  create index volume_of_environment on helix.volume (organization, environment, id);
  create unique index volume_present on helix.volume (organization, environment, service, name, plugin) where state in ('wanted', 'there');
`;

const EVENTS = `
  create table helix.event_stream (
    organization text not null references helix.organization,
    stream text not null,
    last bigint not null,
    primary key (organization, stream)
  ) with (fillfactor = 70);
  create table helix.event (
    organization text not null,
    stream text not null,
    seq bigint not null,
    type text not null,
    data json not null,
    at timestamptz not null default now(),
    primary key (organization, stream, seq)
  );
`;

const WORKERS = `
  create table helix.worker (
    id text primary key,
    machine text not null,
    boot text not null,
    pid integer not null,
    start_ticks text not null,
    planes json not null,
    started_at timestamptz not null default now(),
    beat bigint not null default 0,
    ended_at timestamptz
  ) with (fillfactor = 70);
  create index worker_live on helix.worker (id) where ended_at is null;
  create table helix.worker_host (
    worker text not null references helix.worker on delete cascade,
    plugin text not null,
    pid integer not null,
    start_ticks text not null,
    primary key (worker, pid, start_ticks)
  );
`;
