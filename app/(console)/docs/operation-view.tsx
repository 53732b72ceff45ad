import type { ApiDocument, DocumentOperation, DocumentResponse } from '#lib/http/openapi/document.ts'
import { Code } from './code.tsx'
import { draftOf } from './console/draft.ts'
import { TryIt } from './console/try-it.tsx'
import { FieldTable } from './field-table.tsx'
import { parameterRows, rowsOf } from './rows.ts'
import { Words } from './words.tsx'

type Props = { method: string; path: string; operation: DocumentOperation; document: ApiDocument }

export function OperationView({ method, path, operation, document }: Props) {
  const { operationId, summary, description, parameters = [], requestBody } = operation
  return (
    <article aria-labelledby={operationId} className="mt-8 border-t border-line pt-5">
      <h3 id={operationId} className="text-lg font-semibold">
        {summary}
      </h3>
      <p className="mt-1 wrap-anywhere">
        <code>
          <b className="font-semibold text-accent">{method}</b> {path}
        </code>
      </p>
      {description && (
        <p className="mt-2 leading-relaxed">
          <Words>{description}</Words>
        </p>
      )}
      {parameters.length > 0 && <FieldTable caption="Parameters" rows={parameterRows(parameters)} />}
      {Object.entries(requestBody?.content ?? {}).flatMap(([type, { schema }]) =>
        formsOf(schema).map((form, at) => (
          <FieldTable
            key={nameIn(form) ?? type}
            caption={at === 0 ? `Body, ${type}` : `Or, ${type}`}
            rows={rowsOf(schemaAt(document, form), 0)}
          >
            {nameIn(form)}
          </FieldTable>
        )),
      )}
      <Responses operation={operation} />
      <Examples operation={operation} />
      <TryIt draft={draftOf(method, path, operation)} name={summary} />
    </article>
  )
}

function Responses({ operation }: { operation: DocumentOperation }) {
  const responses = Object.entries(operation.responses).flatMap(([status, response]) =>
    '$ref' in response ? [] : [{ status, response }],
  )
  return (
    <>
      <h4 className="mt-4 text-sm font-medium text-muted">Responses</h4>
      <ul className="mt-1 flex flex-col gap-1.5 text-[0.9375rem]">
        {responses.map(({ status, response }) => (
          <li key={status}>
            <b className="font-semibold tabular-nums">{status}</b> <Words>{response.description}</Words>
            <Contents response={response} />
          </li>
        ))}
        <li>
          <span className="text-muted">Errors:</span>{' '}
          <span className="text-sm">{operation['x-error-codes'].join(', ')}</span>
        </li>
      </ul>
    </>
  )
}

function Examples({ operation: { requestBody, responses } }: { operation: DocumentOperation }) {
  const requests = Object.values(requestBody?.content ?? {}).flatMap(({ examples = {} }) =>
    Object.entries(examples).map(([name, { value }]) => ({ label: `Request: ${name}`, value })),
  )
  const answers = Object.entries(responses).flatMap(([status, response]) =>
    Object.entries(('content' in response && response.content) || {}).flatMap(([type, { example }]) =>
      example === undefined ? [] : [{ label: `Response: ${status}, ${type}`, value: example }],
    ),
  )
  const examples = [...requests, ...answers]
  if (examples.length === 0) return null
  return (
    <details className="fold mt-3">
      <summary>Examples</summary>
      {examples.map(({ label, value }) => (
        <Code key={label} label={label} copy="Copy example" text={textOf(value)} />
      ))}
    </details>
  )
}

const textOf = (value: unknown) =>
  typeof value === 'string' ? value.trimEnd() : JSON.stringify(value, undefined, 2)

function Contents({ response: { content = {} } }: { response: DocumentResponse }) {
  return Object.entries(content).map(([type, media]) => (
    <div key={type} className="pl-4">
      <code>{type}</code>{' '}
      {nameIn(media.schema) && (
        <a className="link" href={`#schema-${nameIn(media.schema)}`}>
          {nameIn(media.schema)}
        </a>
      )}{' '}
      {media['x-description'] && (
        <span className="text-muted">
          <Words>{media['x-description']}</Words>
        </span>
      )}
    </div>
  ))
}

/** A body may have one of several forms. */
function formsOf(
  schema: { $ref?: unknown; anyOf?: unknown } | undefined,
): ({ $ref?: unknown } | undefined)[] {
  return Array.isArray(schema?.anyOf) ? schema.anyOf : [schema]
}

function nameIn(schema: { $ref?: unknown } | undefined): string | undefined {
  return typeof schema?.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined
}

function schemaAt({ components }: ApiDocument, schema: { $ref?: unknown } | undefined) {
  return components.schemas[nameIn(schema) ?? ''] ?? schema ?? {}
}
