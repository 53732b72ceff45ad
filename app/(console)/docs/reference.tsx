import type { ApiDocument } from '#lib/http/openapi/document.ts'
import { Introduction } from './introduction.tsx'
import { Navigation } from './navigation.tsx'
import { OperationView } from './operation-view.tsx'
import { SchemaView } from './schema-view.tsx'
import { Words } from './words.tsx'

/** The operations of one section with their places. */
export function operationsOf({ paths }: ApiDocument, tag: string) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
}

/** `address` is the gateway's own, for snippets. */
export function Reference({ document, address }: { document: ApiDocument; address: string }) {
  const sections = document.tags.map(({ name, description }) => ({
    name,
    description,
    id: sectionId(name),
    operations: operationsOf(document, name),
  }))
  return (
    <div className="reference">
      <Navigation sections={sections} />
      <main id="main" tabIndex={-1} className="column min-w-0 pt-4 pb-16">
        <Introduction document={document} address={address} />
        {sections.map(({ name, description, id, operations }) => (
          <section key={id} aria-labelledby={id} className="mt-12">
            <h2 id={id} className="font-serif text-2xl font-semibold tracking-tight">
              {name}
            </h2>
            <p className="mt-1 text-muted">
              <Words>{description}</Words>
            </p>
            {operations.map(one => (
              <OperationView key={one.operation.operationId} {...one} document={document} />
            ))}
          </section>
        ))}
        <section aria-labelledby="schemas" className="mt-12">
          <h2 id="schemas" className="font-serif text-2xl font-semibold tracking-tight">
            Schemas
          </h2>
          {Object.entries(document.components.schemas).map(([name, schema]) => (
            <SchemaView key={name} name={name} schema={schema} />
          ))}
        </section>
      </main>
    </div>
  )
}

function sectionId(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-')
}
