#!/usr/bin/env node
import { processContext } from "../dist/context.js";
import { main, reportError } from "../dist/main.js";

const argv = process.argv.slice(2);
const cli = processContext();
process.exitCode = await main(argv, cli);
const failure = await cli.endProcess();
if (failure !== undefined) process.exitCode = reportError(failure, argv, cli);
