import { serve } from '#lib/gateway/index.ts'
import { fileJson, listJson, receivedFile } from '#lib/http/dialects/openai-files.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { filesQuery } from '#lib/validation/openai-batches.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** The caller is admitted before the file is read. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/files',
    surface: 'api',
    postSurface: 'upload',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    GET: async ({ request, context, gateway }) => {
      const page = await gateway.files.list(context.caller, parseOrThrow(filesQuery, queryOf(request)))
      return { json: listJson(page, fileJson) }
    },
    POST: async ({ request, context, gateway }) => {
      const { files, env, mediaDir } = gateway
      await files.assertSpace(context.caller)
      const options = { directory: mediaDir, maxBytes: env.V1_MAX_UPLOAD_BYTES, signal: context.signal }
      const { file, dispose } = await receivedFile(request, options)
      try {
        return { json: fileJson(await files.add(context.caller, file)) }
      } finally {
        await dispose()
      }
    },
  },
)
