/*
 * Ends the process on a Node that is too old, before anything is loaded that such a Node cannot read.
 * Written for the oldest Node that may meet it, so without newer syntax.
 */
var version = process.versions.node.split(".");
if (Number(version[0]) < 20 || (version[0] === "20" && Number(version[1]) < 19)) {
  process.stderr.write(
    "swf-alarms: Node " +
      process.versions.node +
      " at " +
      process.execPath +
      " is too old; swf-alarms needs Node 20.19 or later, see https://nodejs.org\n",
  );
  process.exit(2);
}
