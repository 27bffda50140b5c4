/** `npm run bench`: every benchmark, one table each. `npm run bench -- --assets 100` passes arguments on. */
import { pipelineBench } from "./pipeline/pipeline.ts";

await pipelineBench(process.argv.slice(2));
