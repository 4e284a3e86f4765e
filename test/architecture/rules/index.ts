import { effectsThroughPorts, engineErrorsInTheEngine, knownCodes, noShell, pureDomain, roadsHaveFaultPoints } from "./code.ts";
import { cliThroughTheApi, inSomePackage, leafPackages, oneHome } from "./packages.ts";
import { narrowContext, pluginImports, pluginShape, vendorInClient } from "./plugins.ts";
import { coreRooms } from "./rooms.ts";
import type { Rule } from "./rule.ts";
import { extensions, kebabCase, namedExports, noCycles, shortFiles, smallFiles } from "./shape.ts";

export const rules: readonly Rule[] = [
  coreRooms,
  leafPackages,
  cliThroughTheApi,
  inSomePackage,
  oneHome,
  pluginImports,
  vendorInClient,
  narrowContext,
  pluginShape,
  pureDomain,
  noShell,
  knownCodes,
  engineErrorsInTheEngine,
  effectsThroughPorts,
  roadsHaveFaultPoints,
  shortFiles,
  smallFiles,
  kebabCase,
  namedExports,
  extensions,
  noCycles,
];
