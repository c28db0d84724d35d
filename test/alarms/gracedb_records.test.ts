import { expect, test } from "vitest";
import { type ListName, parseRecords } from "../../alarms/lib/gracedb_records.ts";

const CREATED = "2018-09-19 18:29:24 UTC";
const AT = 1_537_381_764;

const whole: readonly [sentence: string, list: ListName, response: unknown, records: unknown][] = [
  ["no records", "labels", { labels: [] }, []],
  [
    "a label whose time cannot be read: it is there, since when is not known",
    "labels",
    {
      labels: [
        { name: "DQV", created: CREATED },
        { name: "DQOK", created: "soon" },
      ],
    },
    [
      { name: "DQOK", created: null },
      { name: "DQV", created: AT },
    ],
  ],
  [
    "notices, the oldest first",
    "voevents",
    {
      numRows: 2,
      voevents: [
        { voevent_type: "IN", created: CREATED },
        { voevent_type: "PR", created: "2018-09-19 18:20:00 UTC" },
      ],
    },
    [
      { type: "PR", created: AT - 564 },
      { type: "IN", created: AT },
    ],
  ],
  [
    "a log entry without a file",
    "logs",
    { numRows: 1, log: [{ comment: "x", created: CREATED, filename: "", file_version: null }] },
    [{ comment: "x", filename: "", tags: [], created: AT }],
  ],
];

test.each(whole)("%s", (_sentence, list, response, records) => {
  expect(parseRecords(list, response)).toEqual(records);
});

const broken: readonly [sentence: string, list: ListName, response: unknown, reason: string][] = [
  ["no list", "voevents", {}, "voevents is undefined, not a list"],
  ["a list that is a text", "logs", { log: "none" }, 'log is "none", not a list'],
  ["fewer rows than there are", "voevents", { voevents: [], numRows: 3 }, "it has 0 of 3 rows"],
  [
    "a notice without a time",
    "voevents",
    { voevents: [{ voevent_type: "PR", created: "soon" }] },
    'a row was created "soon"',
  ],
  [
    "a notice without a type",
    "voevents",
    { voevents: [{ created: CREATED }] },
    "a row has the voevent_type undefined",
  ],
  ["an entry without a time", "logs", { log: [{ comment: "x" }] }, "a row was created undefined"],
  ["a label without a name", "labels", { labels: [{ created: CREATED }] }, "a row has the name"],
  ["a row that is a text", "labels", { labels: ["ADVOK"] }, "a row has the name undefined"],
];

test.each(broken)("a response with %s proves nothing", (_sentence, list, response, reason) => {
  expect(() => parseRecords(list, response)).toThrow(reason);
});
