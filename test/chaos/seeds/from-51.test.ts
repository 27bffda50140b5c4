import { keepsEveryPromise } from "./seeds.ts";

keepsEveryPromise(51);
