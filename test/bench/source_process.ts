import { createServer } from "node:http";
import { page, pandaTask, smallItem } from "./panda_tasks.ts";

/**
 * The source as a process of its own, so that its CPU time is not the engine's. How many rows it lists
 * is in the path, `/10000/api/panda/tasks/`, so that each site asks the same server for another length.
 * It ends with the pipe to the bench, however that ends.
 */

/** Bytes of each answer so far: an answer is made once, and costs no more than sending after that. */
const answers = new Map<string, Buffer>();
let requests = 0;

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  const [, count = "", list = ""] =
    /^\/(\d+)\/(api\/panda\/tasks|small)\/$/.exec(url.pathname) ?? [];
  if (list === "") {
    response.writeHead(404).end();
    return;
  }
  requests += 1;
  const limit = Number(url.searchParams.get("limit") ?? 50);
  const before = url.searchParams.get("before_id");
  const key = `${count} ${list} ${limit} ${before}`;
  const answer =
    answers.get(key) ??
    Buffer.from(
      JSON.stringify(
        page(
          Number(count),
          list === "small" ? smallItem : pandaTask,
          Math.min(limit, 200),
          before === null ? undefined : Number(before),
        ),
      ),
    );
  answers.set(key, answer);
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": answer.length,
  });
  response.end(answer);
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the source has no port");
  process.send?.({ url: `http://127.0.0.1:${address.port}` });
});
process.on("message", () => process.send?.({ requests }));
process.on("disconnect", () => process.exit());
// Ctrl-C reaches every process of the terminal; the bench ends this one when it has no more use for it.
process.on("SIGINT", () => {});
