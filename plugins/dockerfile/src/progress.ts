import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";
import type { PluginContext } from "@helixstack/sdk";
import { buildFailed, toFailureOrAbort } from "./failures.ts";

const TAIL_LINES = 100;

/** One message of the builder. */
interface Message {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
  readonly aux?: { readonly ID?: string };
}

/** Logs what the builder says, line by line, and returns the image's id. Rejects with `BUILD_FAILED` and the last lines. */
export async function followBuild(ctx: Pick<PluginContext, "log" | "progress" | "signal">, answer: Readable): Promise<string> {
  const tail: string[] = [];
  let image: string | null = null;
  let partial = "";
  const take = (text: string): void => {
    const lines = (partial + text).split(/\r?\n/);
    partial = lines.pop()!;
    for (const line of lines.map((each) => stripVTControlCharacters(each).trimEnd()).filter((each) => each !== "")) {
      ctx.log.info(line);
      if (/^Step \d+\/\d+/.test(line)) ctx.progress(line);
      if (tail.push(line) > TAIL_LINES) tail.shift();
    }
  };
  for await (const message of messages(answer, ctx.signal)) {
    if (message.stream !== undefined) take(message.stream);
    // The bars of a pull come with an id, many times a second; only what is said of the whole is worth a line.
    if (message.status !== undefined && message.id === undefined) take(`${message.status}\n`);
    image = message.aux?.ID ?? image;
    if (message.error === undefined) continue;
    take("\n");
    throw buildFailed(message.error.trim(), tail);
  }
  if (image === null) throw buildFailed("the Docker Engine ended the build without an image", tail);
  return image;
}

async function* messages(answer: Readable, signal: AbortSignal): AsyncGenerator<Message> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    for await (const chunk of answer) {
      const lines = (rest + decoder.write(chunk as Buffer)).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as Message;
    }
  } catch (error) {
    throw toFailureOrAbort(error, { what: "follow the image build", signal });
  }
}
