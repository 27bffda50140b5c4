import { expect, test } from "vitest";
import {
  type ErrorReference,
  jobErrors,
  requestErrors,
} from "../../src/api/http/error-reference.ts";

const table = (when: string, errors: readonly ErrorReference[]): string =>
  [
    `| code | ${when} | meaning |`,
    "|---|---|---|",
    ...errors.map(
      (one) => `| <a id="${one.code}"></a>\`${one.code}\` | ${one.when} | ${one.meaning} |`,
    ),
  ].join("\n");

test("docs/errors.md lists every code (write it again: npm test -- test/domain/error-reference.test.ts -u)", async () => {
  const page = `# Error codes

Generated from \`src/api/http/problem-codes.ts\` and \`src/domain/job/error-codes.ts\`. A running instance shows the same at
\`/api/docs/errors\`, where the \`type\` of every problem leads.

## Requests

\`code\` of an \`application/problem+json\` answer (RFC 9457).

${table("status", requestErrors())}

## Jobs, deliveries and processes

\`error.code\` of a job, an attempt, a dead letter or an event about them. Codes of version 0.1 (\`source_Timeout\`) may
still be found in what was stored by it.

${table("then", jobErrors())}
`;
  await expect(page).toMatchFileSnapshot("../../docs/errors.md");
});
