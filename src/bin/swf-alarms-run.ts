#!/usr/bin/env node
import "../../build/check_node.cjs";

// Loaded only now: a Node that is too old could not even read it.
void import("../main.ts").then(({ runMain }) => runMain("swf-alarms-run", process.argv));
