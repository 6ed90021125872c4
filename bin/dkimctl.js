#!/usr/bin/env node
import { processContext } from "../dist/context.js";
import { main } from "../dist/main.js";

const cli = processContext();
process.exitCode = await main(process.argv.slice(2), cli);
cli.endProcess();
