import { domain, type Tooth, worker } from "./tooth.ts";

/** Checks of `npm start`, a deployment and the clock. */
export const START: readonly Tooth[] = [
  {
    name: "a trigger from far away moves no clock",
    file: "src/wiring/consumers/schedule.ts",
    noticedBy: worker("api/clock", "is refused and moves nothing"),
    text: "  if (problem !== null) {\n    p.log",
    without: "  if (problem === undefined) {\n    p.log",
  },
  {
    name: "a reset clock brings schedules back",
    file: "src/records/operations/clock-record.ts",
    noticedBy: worker("api/clock", "set right by an operator"),
    text: "WHERE done_until > ?1 ORDER BY id",
    without: "WHERE 0 AND done_until > ?1 ORDER BY id",
  },
  {
    name: "one's own machine is known by the host that was sent",
    file: "src/api/http/local-request.ts",
    noticedBy: worker("api/clock", "evil.example"),
    text: 'OWN_NAME.test(hostNameOf(c.req.header("host") ?? new URL(c.req.url).host))',
    without: "true",
  },
  {
    name: "the gate answers under its own names",
    file: "local/gate-rules.ts",
    noticedBy: domain("local/gate-rules", "is not the host"),
    text: "return OWN_NAMES.includes(",
    without: "return host !== '' || OWN_NAMES.includes(",
  },
  {
    name: "the gate looks at the path that is asked for",
    file: "local/gate-rules.ts",
    noticedBy: domain("local/gate-rules", "has nothing at"),
    text: "SIMULATORS_PATH.test(url.pathname)",
    without: "SIMULATORS_PATH.test(target)",
  },
  {
    name: "the simulator's headers stay outside",
    file: "local/gate-rules.ts",
    noticedBy: domain("local/gate-rules", "passes headers on"),
    text: " && !SIMULATORS_HEADER.test(lower)",
    without: "",
  },
  {
    name: "a placeholder is not deployed",
    file: "local/deploy-checks.ts",
    noticedBy: domain("local/deploy-checks", "placeholder's database"),
    text: " && !NO_UUID.test(databaseId)",
    without: "",
  },
];
