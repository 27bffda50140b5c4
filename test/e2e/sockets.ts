import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Listening {
  readonly pid: number;
  /** `tcp 127.0.0.1:8787`, `udp …` or `unix /path`. */
  readonly address: string;
}

const TCP_LISTEN = "0A";
const UDP_UNCONNECTED = "07";
/** __SO_ACCEPTCON: the socket accepts connections. */
const UNIX_ACCEPTS = 0x10000;

/**
 * Every socket of these processes that accepts connections or data, as the kernel lists them (Linux
 * only).
 */
export function listeningSockets(pids: readonly number[]): Listening[] {
  const listening = new Map([
    ...inet("tcp"),
    ...inet("tcp6"),
    ...inet("udp"),
    ...inet("udp6"),
    ...unix(),
  ]);
  return pids.flatMap((pid) =>
    inodesOf(pid).flatMap((inode) => {
      const address = listening.get(inode);
      return address === undefined ? [] : [{ pid, address }];
    }),
  );
}

/** The inodes of a process's open sockets. */
function inodesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    // It ended while we were looking.
    return [];
  }
}

function inet(kind: "tcp" | "tcp6" | "udp" | "udp6"): [string, string][] {
  const wanted = kind.startsWith("tcp") ? TCP_LISTEN : UDP_UNCONNECTED;
  return linesOf(kind).flatMap((line): [string, string][] => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    return state === wanted ? [[inode, `${kind} ${readable(local)}`]] : [];
  });
}

function unix(): [string, string][] {
  return linesOf("unix").flatMap((line): [string, string][] => {
    const [, , , flags = "0", , , inode = "", path = "(unnamed)"] = line.trim().split(/\s+/);
    return (Number.parseInt(flags, 16) & UNIX_ACCEPTS) === 0 ? [] : [[inode, `unix ${path}`]];
  });
}

const linesOf = (kind: string): string[] =>
  readFileSync(`/proc/net/${kind}`, "utf8").trim().split("\n").slice(1);

/** `0100007F:2253` as people write it. Version 6 stays as the kernel has it: none is expected. */
function readable(address: string): string {
  const [host = "", port = ""] = address.split(":");
  const bytes = host.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  return `${bytes.length === 4 ? bytes.reverse().join(".") : host}:${Number.parseInt(port, 16)}`;
}
