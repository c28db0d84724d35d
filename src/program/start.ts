import "../../build/check_node.cjs";

/** Runs a command line. What does so is loaded only now: a Node that is too old could not even read it. */
export function start(name: "swf-alarms" | "swf-alarms-run"): void {
  import("../main.ts").then(
    ({ runMain }) => runMain(name, process.argv),
    (error: unknown) => {
      process.stderr.write(
        `swf-alarms: this installation is damaged, run deploy/install.sh again: ${error}\n`,
      );
      process.exit(2);
    },
  );
}
