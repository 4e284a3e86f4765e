import { target } from "../../delivery/tools.ts";

const A_TABLE = 100;

/** Tables of a hundred services each. */
export async function fill(
  routes: number,
  apply: (
    unit: string,
    routes: readonly { service: string; hosts: readonly string[]; targets: ReturnType<typeof target>[] }[],
  ) => Promise<unknown>,
): Promise<void> {
  for (let first = 0; first < routes; first += A_TABLE) {
    const services = Array.from({ length: Math.min(A_TABLE, routes - first) }, (_, i) => first + i);
    await apply(
      `filled-${first}`,
      services.map((i) => ({ service: `s${i}`, hosts: [`s${i}.filled.localhost`], targets: [target(9, { revision: `filled-${i}` })] })),
    );
  }
}
