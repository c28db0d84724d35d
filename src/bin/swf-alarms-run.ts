#!/usr/bin/env node
import { buildRunProgram } from "../cli/commands.ts";
import { runMain } from "../main.ts";

void runMain(buildRunProgram, process.argv);
