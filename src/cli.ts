/** Where the bundled program begins: bin/dkimctl.js takes these and knows nothing else. */
export { processContext } from "./context.ts";
export { main, reportError } from "./main.ts";
