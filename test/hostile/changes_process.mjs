// Changes the environment, the folder and the name of its process.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  process.env.NODE_OPTIONS = "--inspect";
  process.chdir("/");
  process.title = "swf-alarms";
}
