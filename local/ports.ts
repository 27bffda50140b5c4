import { createServer } from "node:net";

/** Ends the process with one plain sentence when the port cannot be listened on. */
export async function requirePort(port: number): Promise<void> {
  const problem = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(null)));
  });
  if (problem === null) return;
  const why = problem.code === "EADDRINUSE" ? "is in use" : `cannot be opened (${problem.code})`;
  console.error(`port ${port} ${why}; choose another with PORT=<number> npm start`);
  process.exit(1);
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address !== null
          ? resolve(address.port)
          : reject(new Error("no port")),
      );
    });
  });
}
