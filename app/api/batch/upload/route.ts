import { serve } from '#lib/gateway/index.ts'
import { passBodyGate } from '#lib/http/body-gate.ts'
import { jobJson } from '#lib/http/dialects/batch.ts'
import { uploadFingerprint } from '#lib/http/upload-fingerprint.ts'
import { uploadFields } from '#lib/validation/batch.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Submits batches as files. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/batch/upload',
    surface: 'upload',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    POST: async ({ request, context, gateway }) => {
      const { clock, uploads, itemLimits } = gateway
      const upload = await uploads.receive(request, context.signal)
      try {
        await passBodyGate(request, () => uploadFingerprint(upload))
        const options = parseOrThrow(uploadFields(itemLimits, clock.now()), upload.fields)
        const job = await uploads.submit(context.caller, options, upload)
        return {
          status: 202,
          json: jobJson(job, clock.now()),
          headers: { location: `/api/batch/jobs/${job.id}` },
        }
      } finally {
        await upload.dispose()
      }
    },
  },
)
