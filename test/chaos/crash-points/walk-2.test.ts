import { walkCrashPoints } from "./walk.ts";

walkCrashPoints(2);
