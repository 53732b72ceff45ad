import type { init } from '@sentry/nextjs'

type DataCollection = NonNullable<Parameters<typeof init>[0]['dataCollection']>

/** Sentry's own collection, which by default includes prompts, headers and bodies, switched off completely. */
export const COLLECT_NOTHING: DataCollection = {
  userInfo: false,
  cookies: false,
  httpHeaders: false,
  httpBodies: [],
  urlQueryParams: false,
  graphQL: { document: false, variables: false },
  genAI: { inputs: false, outputs: false },
  databaseQueryData: false,
  queues: false,
  stackFrameVariables: false,
}
