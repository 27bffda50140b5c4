import { keepsEveryPromise } from "./seeds.ts";

keepsEveryPromise(101);
