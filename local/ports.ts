import { createServer } from "node:net";

/** Ends the process with one plain sentence when somebody else listens on the port. */
export async function requirePort(port: number): Promise<void> {
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
  if (free) return;
  console.error(`port ${port} is in use; choose another with PORT=<number> npm start`);
  process.exit(1);
}
