#!/usr/bin/env node
import { buildProgram } from "../cli/commands.ts";
import { runMain } from "../main.ts";

void runMain(buildProgram, process.argv);
