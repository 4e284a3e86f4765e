/** Who asks, what is believed to be in the world, and who works: tables of the first migration. */

export const ACCESS = `
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

export const WORLD = `
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

export const EVENTS = `
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

export const WORKERS = `
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
