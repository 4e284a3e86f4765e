import { sql } from "kysely";
import type { EventRecord } from "../../ports/records.ts";
import type { Scope } from "../../ports/scope.ts";
import { toEvent } from "./rows.ts";
import { json, type Db, type Trx } from "./transaction.ts";

export const EVENT_CHANNEL = "helix_events";

/** An event before it has its number. */
export interface NewEvent {
  readonly stream: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The stream of one deployment. */
export function deploymentStream(deployment: string): string {
  return `deployment:${deployment}`;
}

/** The stream of what befell the workers of an organization. */
export const PLANE_STREAM = "plane";

/** The stream of one environment. */
export function environmentStream(environment: string): string {
  return `environment:${environment}`;
}

/** What concerns a deployment as a whole, told on both of its streams. */
export function deploymentEvent(
  place: { readonly deployment: string; readonly environment: string },
  type: string,
  data: Readonly<Record<string, unknown>> = {},
): readonly NewEvent[] {
  const full = { deployment: place.deployment, ...data };
  return [
    { stream: deploymentStream(place.deployment), type, data: full },
    { stream: environmentStream(place.environment), type, data: full },
  ];
}

/** What befell the worker of a run, told on the stream of its deployment and on that of the plane. */
export function planeEvent(
  { deployment }: { readonly deployment: string },
  { type, data }: Pick<NewEvent, "type" | "data">,
): readonly NewEvent[] {
  return [deploymentStream(deployment), PLANE_STREAM].map((stream) => ({ stream, type, data: { deployment, ...data } }));
}

/**
 * Numbers and writes events, in the order given, and tells watchers at the commit. The counter row stays locked until then: a number is
 * seen only when all before it are. Called last in a transaction, so that this lock is held shortly.
 */
export async function appendEvents(trx: Trx, organization: string, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const streams = events.map((event) => event.stream);
  const types = events.map((event) => event.type);
  const data = events.map((event) => json(event.data));
  await sql`
    with input as (
      select stream, type, data,
        row_number() over (partition by stream order by place) as n,
        count(*) over (partition by stream) as total
      from unnest(${streams}::text[], ${types}::text[], ${data}::text[]) with ordinality as given (stream, type, data, place)
    ), counter as (
      insert into helix.event_stream as s (organization, stream, last)
      select ${organization}::text, stream, count(*) from input group by stream order by stream
      on conflict (organization, stream) do update set last = s.last + excluded.last
      returning stream, last
    ), written as (
      insert into helix.event (organization, stream, seq, type, data, at)
      select ${organization}::text, stream, counter.last - total + n, type, data::json, clock_timestamp()
      from input join counter using (stream)
    )
    select pg_notify(${EVENT_CHANNEL}, ${organization}::text || '/' || stream) from counter
  `.execute(trx);
}

/** Events of one stream after a number, in order. */
export async function readEvents(
  db: Db,
  scope: Scope,
  input: { readonly stream: string; readonly after: number; readonly limit: number },
): Promise<readonly EventRecord[]> {
  const rows = await db
    .selectFrom("event")
    .selectAll()
    .where("organization", "=", scope.organization)
    .where("stream", "=", input.stream)
    .where("seq", ">", input.after)
    .orderBy("seq")
    .limit(input.limit)
    .execute();
  return rows.map(toEvent);
}

/** The newest events of some types, oldest of them first. */
export async function readLastEvents(
  db: Db,
  scope: Scope,
  { stream, types, limit }: { readonly stream: string; readonly types: readonly string[]; readonly limit: number },
): Promise<readonly EventRecord[]> {
  const rows = await db
    .selectFrom("event")
    .selectAll()
    .where("organization", "=", scope.organization)
    .where("stream", "=", stream)
    .where("type", "in", types)
    .orderBy("seq", "desc")
    .limit(limit)
    .execute();
  return rows.map(toEvent).toReversed();
}
