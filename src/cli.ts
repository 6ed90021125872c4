/** Where the bundled program begins: bin/dkimctl.js takes these two and knows nothing else. */
export { processContext } from "./context.ts";
export { main } from "./main.ts";
