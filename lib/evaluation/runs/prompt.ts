import type { Message } from '../../llm/types.ts'
import type { DatasetRow } from '../datasets/types.ts'
import type { Variant } from './types.ts'

const PLACEHOLDER = /\{\{ ?(input|metadata\.[\w.-]{1,100}) ?\}\}/g

const asText = (value: unknown): string => {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const filled = (template: string, input: string, { metadata = {} }: DatasetRow): string =>
  template.replaceAll(PLACEHOLDER, (_, name: string) => {
    if (name === 'input') return input
    const key = name.slice('metadata.'.length)
    return asText(Object.hasOwn(metadata, key) ? metadata[key] : undefined)
  })

/** The messages of a variant for a row. A prompt takes the place of the last message. */
export const messagesFor = ({ system, prompt }: Variant, row: DatasetRow): Message[] => {
  const given: readonly Message[] =
    typeof row.input === 'string' ? [{ role: 'user', content: row.input }] : row.input
  const last = given.at(-1)
  const asked =
    prompt === undefined || !last
      ? given
      : [...given.slice(0, -1), { role: 'user' as const, content: filled(prompt, asText(last.content), row) }]
  return system === undefined ? [...asked] : [{ role: 'system', content: system }, ...asked]
}
