import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * A library that ours is compared with. They are installed separately (bench/package.json), so that
 * neither a first install nor the checks need them: the types in use are declared here manually.
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
