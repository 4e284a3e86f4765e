const KEPT = 100;

/** The messages of one room, and who listens. */
export function createRoom() {
  const messages = [];
  const listeners = new Set();
  let last = 0;
  return {
    say(from, text) {
      const message = { id: ++last, from, text: text.slice(0, 2_000), at: new Date().toISOString() };
      messages.push(message);
      if (messages.length > KEPT) messages.shift();
      for (const listener of listeners) listener(message);
      return message;
    },
    /** Messages after an id, oldest first. All of them for an id of another revision's room, which had got further. */
    since: (id) => messages.filter((message) => message.id > id || id > last),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
