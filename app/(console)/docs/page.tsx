import { gateway } from '#lib/gateway/index.ts'
import { DocsFrame } from './docs-frame.tsx'
import { Reference } from './reference.tsx'

/** The API reference, rendered on the server from the document that `/openapi.json` serves. */
export default async function Page() {
  const { api } = await gateway()
  return (
    <DocsFrame>
      <Reference document={api()} />
    </DocsFrame>
  )
}
