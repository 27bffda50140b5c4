import { checkActions } from "../../domain/asset/check-actions.ts";
import { checkBars } from "../../domain/asset/check-bars.ts";
import { LISTED_ERRORS } from "../../domain/asset/row-error.ts";
import type { JobRecord } from "../../domain/job/job.ts";
import type { ImportParams } from "../../domain/job/kinds/ingest.ts";
import { type Outcome, refused } from "../../domain/outcome.ts";
import type { JobHandler, JobSuccess } from "../consumer.ts";
import type { JobWork } from "../job-work.ts";
import { commit, oddities, rulesFor } from "./commit-bars.ts";
import { fromSource } from "./from-source.ts";
import type { IngestAsset, IngestDeps } from "./ingest-deps.ts";

/**
 * Asks the source or reads the upload, outside the object; then one call commits all of it, or
 * none.
 */
function ingestHandler(deps: IngestDeps): JobHandler {
  return async (job) => {
    const asset = await deps.asset(job.symbol);
    if (asset === null || asset.archived) {
      return refused({ code: "asset.unknown", detail: `${job.symbol} is not a registered asset` });
    }
    switch (job.params.mode) {
      case "import":
        return fromUpload(deps, job, asset, job.params);
      case "source":
        return fromSource(deps, job, asset, job.params);
      default:
        return refused({
          code: "message.contract_violation",
          detail: "an ingest job says where its bars come from",
        });
    }
  };
}

async function fromUpload(
  deps: IngestDeps,
  job: JobRecord,
  asset: IngestAsset,
  params: ImportParams,
): Promise<Outcome<JobSuccess>> {
  const series = { resolution: job.resolution, calendar: asset.calendar };
  const upload = await deps.upload(params, series);
  if (upload === null)
    return refused({
      code: "import.upload_missing",
      detail: "the uploaded file is no longer there",
    });
  if (!upload.ok) return refused(upload.error);
  const checked = checkBars(upload.bars, rulesFor(deps, job, asset));
  const actions = checkActions(upload.actions ?? [], { now: deps.now(), type: asset.type });
  if (checked.ok && actions.ok) {
    const { bars } = checked;
    const skipped = upload.skipped === undefined ? {} : { skipped: upload.skipped };
    const taken = { source: "import", bars, actions: actions.actions };
    return commit(deps, job, taken, { ...skipped, ...oddities(checked) });
  }
  const found = [checked, actions].flatMap((check) => (check.ok ? [] : [check]));
  const total = found.reduce((sum, one) => sum + one.total, 0);
  return refused({
    code: "bars.refused",
    detail: `${total} row(s) cannot be taken; nothing was stored`,
    errors: found.flatMap(({ errors }) => errors).slice(0, LISTED_ERRORS),
    total,
  });
}

export const ingestWork: JobWork<IngestDeps> = {
  handler: ingestHandler,
  dryRun: (deps, preview) => ({ ...deps, ingest: preview.ingest, note: async () => undefined }),
};
