import type { JsonSchema } from '#lib/http/openapi/json-schema.ts'
import { FieldTable } from './field-table.tsx'
import { rowsOf } from './rows.ts'

/** All of a schema, with what its fields hold. */
export function SchemaView({ name, schema }: { name: string; schema: JsonSchema }) {
  return (
    <details className="fold mt-2">
      <summary>
        <h3 className="inline font-medium">{name}</h3>
      </summary>
      {/* A link to what is folded opens it. */}
      <div id={`schema-${name}`} className="scroll-mt-24">
        <FieldTable caption={`Fields of ${name}`} rows={rowsOf(schema)} />
      </div>
    </details>
  )
}
