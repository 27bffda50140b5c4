import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * A library that ours is timed beside. They are installed apart (bench/package.json), so that
 * neither a first install nor the checks need them: their types are said here by hand, as far as
 * they are used.
 */
export function peer<Library>(name: string): Library {
  try {
    return require(name) as Library;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND"))
      throw error;
    console.error(`${name} is not installed: run \`npm ci --prefix bench\` first.`);
    process.exit(1);
  }
}
