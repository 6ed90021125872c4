// Loaded before dkimctl: ends the process by SIGKILL at call number KILL_AT of what changes the world, and moves its clock.
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";

const at = Number(process.env.KILL_AT ?? 0);
const offset = Number(process.env.CLOCK_OFFSET_MS ?? 0);
let calls = 0;

function dying(original) {
  return (...parameters) => {
    if (++calls === at) {
      process.kill(process.pid, "SIGKILL");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    return original(...parameters);
  };
}

for (const name of ["renameSync", "linkSync", "unlinkSync", "fsyncSync"]) fs[name] = dying(fs[name]);
childProcess.spawn = dying(childProcess.spawn);
// Time has really passed: nobody has set the clock.
const { uptime } = os;
os.uptime = () => uptime() + offset / 1000;
syncBuiltinESMExports();

const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parameters) {
    if (parameters.length === 0) super(RealDate.now() + offset);
    else super(...parameters);
  }
  static now() {
    return RealDate.now() + offset;
  }
};
