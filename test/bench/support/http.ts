import { request } from "node:http";

/** Where something answers. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Between two looks at something that serves already: each of them is a request, and takes the processor from what is measured. Milliseconds. */
export const BESIDE_ANOTHER = 8;

/** Asks again and again, each time on a connection of its own, until the answer is this text. `pauseMs`: between two; what does not listen yet costs little to ask. */
export async function until(address: Address, text: string, { pauseMs = 1 }: { readonly pauseMs?: number } = {}): Promise<void> {
  for (;;) {
    if ((await ask(address).catch(() => "")) === text) return;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** The body of `GET /`; rejects when there is none, or its status is 400 or more. */
export function ask({ host, port }: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, agent: false, timeout: 5_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response
        .on("error", reject)
        .on("end", () => ((response.statusCode ?? 500) < 400 ? resolve(text) : reject(new Error(String(response.statusCode)))));
    });
    asked.on("error", reject).on("timeout", () => asked.destroy(new Error("no answer")));
    asked.end();
  });
}

/** Asks all the time, until `stop`; answers with how many were asked and how many failed. */
export function keepAsking(address: Address): { stop: () => Promise<{ readonly asked: number; readonly failed: number }> } {
  let isOver = false;
  const count = { asked: 0, failed: 0 };
  const asking = (async () => {
    while (!isOver) {
      count.asked += 1;
      await ask(address).catch(() => (count.failed += 1));
      await new Promise((resolve) => setTimeout(resolve, BESIDE_ANOTHER));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await asking;
      return count;
    },
  };
}
