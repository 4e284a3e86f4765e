import { target } from "../../delivery/tools.ts";

const A_TABLE = 100;
const HOSTS = 2;

/** Tables of a hundred services each, every one with two host names: so many routes by name. */
export async function fill(
  routes: number,
  apply: (
    unit: string,
    routes: readonly { service: string; hosts: readonly string[]; targets: ReturnType<typeof target>[] }[],
  ) => Promise<unknown>,
): Promise<void> {
  const count = Math.ceil(routes / HOSTS);
  for (let first = 0; first < count; first += A_TABLE) {
    const services = Array.from({ length: Math.min(A_TABLE, count - first) }, (_, i) => first + i);
    await apply(
      `filled-${first}`,
      services.map((i) => ({
        service: `s${i}`,
        hosts: Array.from({ length: HOSTS }, (_, host) => `s${i}-${host}.filled.localhost`),
        targets: [target(9, { revision: `filled-${i}` })],
      })),
    );
  }
}
