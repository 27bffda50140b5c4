import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  timingSafeEqual,
} from "node:crypto";
import type { Outside } from "./outside.ts";
import { currentUnit } from "./unit.ts";
import type { World } from "./world.ts";

/*
 * The globals the product uses, in the hands of whichever run is under way: clock, timers, chance, hashing, fetch and
 * the log. They are put in place once, before the product is loaded, because it may keep hold of them.
 */

interface Run {
  readonly world: World;
  readonly outside: Outside;
}

let run: Run | null = null;

const RealDate = Date;
const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  fetch: globalThis.fetch,
  random: Math.random,
  timeout: AbortSignal.timeout.bind(AbortSignal),
  getRandomValues: crypto.getRandomValues.bind(crypto),
  randomUUID: crypto.randomUUID.bind(crypto),
  digest: crypto.subtle.digest.bind(crypto.subtle),
  importKey: crypto.subtle.importKey.bind(crypto.subtle),
  sign: crypto.subtle.sign.bind(crypto.subtle),
  encrypt: crypto.subtle.encrypt.bind(crypto.subtle),
  decrypt: crypto.subtle.decrypt.bind(crypto.subtle),
  log: console.log,
  warn: console.warn,
  error: console.error,
};

/** Runs `work` with the globals in the hands of a run. */
export async function during<T>(current: Run, work: () => Promise<T>): Promise<T> {
  if (run !== null) throw new Error("one run at a time");
  run = current;
  try {
    return await work();
  } finally {
    run = null;
  }
}

const now = (): number => run?.world.now ?? RealDate.now();

class RunDate extends RealDate {
  constructor(...values: [] | [number | string | Date]) {
    if (values.length === 0) super(now());
    else super(...(values as [number]));
  }

  static override now(): number {
    return now();
  }
}

type Bytes = ArrayBuffer | ArrayBufferView;

const bytesOf = (data: Bytes): Uint8Array =>
  data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const bufferOf = (bytes: Uint8Array): ArrayBuffer => {
  const buffer = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(buffer).set(bytes);
  return buffer;
};

const HASHES: Readonly<Record<string, string>> = {
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-512": "sha512",
};
const nameOf = (algorithm: unknown): string =>
  typeof algorithm === "string" ? algorithm : String(Reflect.get(Object(algorithm), "name"));

interface AesGcm {
  readonly iv: Bytes;
  readonly additionalData: Bytes;
}
const TAG_BYTES = 16;

const rawKeys = new WeakMap<object, Uint8Array>();

const subtle = {
  digest: (algorithm: unknown, data: Bytes): unknown => {
    const hash = HASHES[nameOf(algorithm)];
    if (run === null || hash === undefined)
      return Reflect.apply(real.digest, null, [algorithm, data]);
    return run.world.compute("digest", () =>
      bufferOf(createHash(hash).update(bytesOf(data)).digest()),
    );
  },
  importKey: (...args: [string, Bytes, ...unknown[]]): unknown => {
    const [format, data] = args;
    if (run === null || format !== "raw") return Reflect.apply(real.importKey, null, args);
    return run.world.compute("importKey", () => {
      const key = {};
      rawKeys.set(key, bytesOf(data).slice());
      return key;
    });
  },
  sign: (...args: [unknown, object, Bytes]): unknown => {
    const [, key, data] = args;
    const raw = rawKeys.get(key);
    if (run === null || raw === undefined) return Reflect.apply(real.sign, null, args);
    return run.world.compute("sign", () =>
      bufferOf(createHmac("sha256", raw).update(bytesOf(data)).digest()),
    );
  },
  encrypt: (...args: [AesGcm, object, Bytes]): unknown => {
    const [{ iv, additionalData }, key, data] = args;
    const raw = rawKeys.get(key);
    if (run === null || raw === undefined) return Reflect.apply(real.encrypt, null, args);
    return run.world.compute("encrypt", () => {
      const cipher = createCipheriv("aes-256-gcm", raw, bytesOf(iv)).setAAD(
        bytesOf(additionalData),
      );
      return bufferOf(
        Buffer.concat([cipher.update(bytesOf(data)), cipher.final(), cipher.getAuthTag()]),
      );
    });
  },
  decrypt: (...args: [AesGcm, object, Bytes]): unknown => {
    const [{ iv, additionalData }, key, data] = args;
    const raw = rawKeys.get(key);
    if (run === null || raw === undefined) return Reflect.apply(real.decrypt, null, args);
    return run.world.compute("decrypt", () => {
      const bytes = bytesOf(data);
      const cipher = createDecipheriv("aes-256-gcm", raw, bytesOf(iv)).setAAD(
        bytesOf(additionalData),
      );
      cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return bufferOf(
        Buffer.concat([cipher.update(bytes.subarray(0, -TAG_BYTES)), cipher.final()]),
      );
    });
  },
  timingSafeEqual: (one: Bytes, other: Bytes): boolean =>
    timingSafeEqual(bytesOf(one), bytesOf(other)),
};

function setVirtualTimeout(
  work: (...args: unknown[]) => void,
  ms = 0,
  ...args: unknown[]
): unknown {
  if (run === null) return real.setTimeout(work, ms, ...args);
  const { world } = run;
  const callOff = world.scheduler.at(world.now + ms, currentUnit(), "timer", () => work(...args));
  return { callOff, unref: () => undefined };
}

function clearVirtualTimeout(timer: unknown): void {
  const callOff: unknown =
    typeof timer === "object" && timer !== null ? Reflect.get(timer, "callOff") : undefined;
  if (typeof callOff === "function") callOff();
  else real.clearTimeout(timer as NodeJS.Timeout);
}

function virtualTimeoutSignal(ms: number): AbortSignal {
  if (run === null) return real.timeout(ms);
  const { world } = run;
  const controller = new AbortController();
  const reason = new DOMException("The operation was aborted due to timeout", "TimeoutError");
  world.scheduler.at(
    world.now + ms,
    currentUnit(),
    "time-out",
    () => controller.abort(reason),
    true,
  );
  return controller.signal;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function randomUuid(): `${string}-${string}-${string}-${string}-${string}` {
  if (run === null) return real.randomUUID();
  const bytes = new Uint8Array(16);
  run.world.productRandom.bytes(bytes);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const text = hex(bytes);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

function randomValues<T extends ArrayBufferView>(into: T): T {
  if (run === null) real.getRandomValues(into as unknown as Uint8Array<ArrayBuffer>);
  else run.world.productRandom.bytes(new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
  return into;
}

/** A stack contains the caller of the run too, which is no part of the run. */
const STACK = /\\n {4}at [^"]*/g;

const logTo =
  (write: (...args: unknown[]) => void) =>
  (...args: unknown[]) => {
    if (run === null) write(...args);
    else run.world.trace(`log ${args.map(String).join(" ").replaceAll(STACK, "")}`);
  };

globalThis.Date = RunDate as DateConstructor;
Object.assign(globalThis, {
  setTimeout: setVirtualTimeout,
  clearTimeout: clearVirtualTimeout,
  fetch: (input: URL | string, init?: RequestInit) =>
    run === null ? real.fetch(input, init) : run.outside.fetch(input, init),
});
Math.random = () => (run === null ? real.random() : run.world.productRandom.next());
AbortSignal.timeout = virtualTimeoutSignal;
Object.defineProperties(crypto, {
  getRandomValues: { value: randomValues, configurable: true },
  randomUUID: { value: randomUuid },
});
Object.defineProperties(crypto.subtle, {
  digest: { value: subtle.digest },
  importKey: { value: subtle.importKey },
  sign: { value: subtle.sign },
  encrypt: { value: subtle.encrypt },
  decrypt: { value: subtle.decrypt },
  timingSafeEqual: { value: subtle.timingSafeEqual },
});
console.log = logTo(real.log);
console.warn = logTo(real.warn);
console.error = logTo(real.error);
