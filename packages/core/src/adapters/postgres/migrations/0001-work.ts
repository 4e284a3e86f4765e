/** What was asked for, and the work on it: tables of the first migration. */

export const PROJECTS = `
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
    last_fence bigint not null default 0,
    created_at timestamptz not null default now(),
    primary key (organization, id),
    unique (organization, project, name),
    foreign key (organization, project) references helix.project
  );
`;

export const DEPLOYMENTS = `
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

export const RUNS = `
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
  create index run_waiting on helix.run (organization, environment) where state = 'waiting';
  create index run_repair on helix.run (organization, environment) where kind = 'repair';
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

export const RELEASES = `
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
