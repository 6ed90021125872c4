/** The command that the scripts call back; the words typed follow after `--`, the one at the cursor last. */
export const COMPLETE_COMMAND = "__complete";
