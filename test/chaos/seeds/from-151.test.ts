import { keepsEveryPromise } from "./seeds.ts";

keepsEveryPromise(151);
