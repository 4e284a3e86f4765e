/** Calls back for each line of several streams as they come. Ends when all have ended or one fails. */
export async function eachLine<T>(streams: readonly AsyncIterable<T>[], onLine: (line: T) => void): Promise<void> {
  await Promise.all(
    streams.map(async (stream) => {
      for await (const line of stream) onLine(line);
    }),
  );
}
