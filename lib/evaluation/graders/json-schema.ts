import type { Grader } from '../grader.ts'
import type { JsonSchemaSpec } from '../types.ts'

/** A JSON text that models like to wrap in a code block. */
const BLOCK = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/i

const unwrapped = (text: string): string => {
  const trimmed = text.trim()
  return BLOCK.exec(trimmed)?.[1] ?? trimmed
}

/**
 * Whether the answer is JSON that a JSON Schema accepts: draft 2020-12, or that of its `$schema`. A code block around the
 * answer is ignored.
 */
export const jsonSchema: Grader<JsonSchemaSpec> = {
  type: 'json-schema',
  needs: () => [],
  async fault({ schema }, checks) {
    const message = await checks.schemaFault(schema)
    return message === undefined ? undefined : { path: 'schema', message }
  },
  async grade({ schema }, { answer }, { checks }) {
    const result = await checks.violations(schema, unwrapped(answer))
    if (result.state === 'unknown') return { passed: false, reason: result.reason }
    const [first] = result.value
    return {
      score: first === undefined ? 1 : 0,
      passed: first === undefined,
      reason: first ?? 'The answer is JSON that the schema accepts.',
    }
  },
}
