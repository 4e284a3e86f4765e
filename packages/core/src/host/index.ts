export { type DispatcherOptions, type LocalDispatcher, createDispatcher } from "./dispatcher.ts";
export type { HostOutput } from "./host-output.ts";
export { type LoadPluginsOptions, type LoadedPlugins, type PluginMemory, type PluginProblem, loadPlugins } from "./load-plugins.ts";
export { endDescendants, endProcess } from "./process-table.ts";
