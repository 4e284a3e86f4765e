export { createQueue, type QueueSettings } from "./queue.ts";
