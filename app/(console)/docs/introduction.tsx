import type { ApiDocument } from '#lib/http/openapi/document.ts'
import { UseItFrom } from './use/use-it-from.tsx'
import { Words } from './words.tsx'

export function Introduction({ document, address }: { document: ApiDocument; address: string }) {
  const { version, description } = document.info
  return (
    <>
      <h2 className="font-serif text-3xl font-semibold tracking-tight">API reference</h2>
      <div className="mt-3 flex flex-col gap-3 leading-relaxed">
        <p>
          {description} Version {version}, as{' '}
          <a className="link" href="/openapi.json">
            OpenAPI 3.1
          </a>
          .
        </p>
        <p>
          <Words>
            Send your API key in `Authorization: Bearer` or `x-api-key`. If this gateway has no keys, requests
            are anonymous; clients that require a key can send any. Setting an optional field to `null` is the
            same as leaving it out.
          </Words>
        </p>
      </div>
      <section aria-labelledby="use-it-from" className="mt-8">
        <h2 id="use-it-from" className="font-serif text-2xl font-semibold tracking-tight">
          Use it from …
        </h2>
        <UseItFrom address={address} />
      </section>
    </>
  )
}
