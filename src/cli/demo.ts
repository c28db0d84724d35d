import type { Command } from "commander";

export function addDemo(program: Command): void {
  program
    .command("demo")
    .summary("show ticks at work on made-up data")
    .action(async () => {});
}
