import { headers } from 'next/headers'
import { gateway } from '#lib/gateway/index.ts'
import { DocsFrame } from './docs-frame.tsx'
import './reference.css'
import { Reference } from './reference.tsx'

/** The API reference, rendered on the server from the document that `/openapi.json` serves. */
export default async function Page() {
  const { api, env } = await gateway()
  return (
    <DocsFrame>
      <Reference document={api()} address={await addressOf(env.PUBLIC_URL)} />
    </DocsFrame>
  )
}

/** The address for snippets: the public one, or that under which the page was asked for. */
async function addressOf(publicUrl: string | undefined): Promise<string> {
  if (publicUrl !== undefined) return new URL(publicUrl).origin
  return `http://${(await headers()).get('host') ?? 'localhost:3000'}`
}
