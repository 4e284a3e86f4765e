import { sql, type Kysely } from "kysely";

/** Waivers: leave to go on in spite of a soft-mandatory rule. None is ever changed or removed; time ends it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table helix.waiver (
        organization text not null references helix.organization,
        id text not null,
        project text not null,
        environment text,
        rule text not null,
        path text,
        reason text not null check (length(reason) > 0),
        principal text not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null check (expires_at > created_at),
        primary key (organization, id),
        foreign key (organization, principal) references helix.principal
      );
      create index waiver_of_project on helix.waiver (organization, project, expires_at);
      create index decision_by_age on helix.decision (organization, id desc);`,
    )
    .execute(db);
}
