import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

/** What `dkimctl completion` takes. */
export const COMPLETION_SHELLS = ["bash", "zsh", "fish"] as const;
export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

const SCRIPTS: Record<CompletionShell, string> = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** The script that teaches a shell to complete `dkimctl`: static text, all knowledge is in `completeWords`. */
export function completionScript(shell: CompletionShell): string {
  return SCRIPTS[shell];
}
