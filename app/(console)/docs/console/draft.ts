import type { DocumentOperation } from '#lib/http/openapi/document.ts'

/** A request as it is edited: everything but the key and files is text. */
export type Draft = {
  method: string
  path: string
  /** One `name: value` a line. */
  headers: string
  body: string
}

/** Where the console of an operation begins. */
export type FirstDraft = Draft & {
  /** Bodies to begin with, as JSON text. */
  examples: { name: string; body: string }[]
  /** The field of a form's file; the body then holds the other fields. */
  fileField?: string | undefined
}

export function draftOf(method: string, path: string, operation: DocumentOperation): FirstDraft {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
  const examples = Object.entries(media?.examples ?? {}).map(([name, { value }]) => ({
    name,
    body: JSON.stringify(value, undefined, 2),
  }))
  const isForm = type === 'multipart/form-data'
  return {
    method,
    path: filledIn(path, operation),
    headers: type && !isForm ? `content-type: ${type}` : '',
    body: examples[0]?.body ?? '',
    examples,
    fileField: isForm ? (operation.operationId.includes('Images') ? 'image' : 'file') : undefined,
  }
}

function filledIn(path: string, { parameters = [] }: DocumentOperation): string {
  return parameters.reduce(
    (filled, { name, example }) =>
      example === undefined ? filled : filled.replace(`{${name}}`, String(example)),
    path,
  )
}

/** The headers of a text; lines without a colon are passed over. */
export function headersIn(text: string): [string, string][] {
  return text.split('\n').flatMap(line => {
    const colon = line.indexOf(':')
    return colon < 1 ? [] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()]]
  })
}

export const hasBody = ({ method, body }: Draft): boolean => method !== 'GET' && body.trim() !== ''

/** The request as a command. A key is a variable in it, so that a copy never holds it. */
export function curlOf(draft: FirstDraft, origin: string, hasKey: boolean): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
  const { method, path, headers, body, fileField } = draft
  return [
    `curl --no-buffer -X ${method} ${quoted(origin + path)}`,
    ...(hasKey ? ['-H "authorization: Bearer $PARLEY_API_KEY"'] : []),
    ...headersIn(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(fileField
      ? [
          `-F ${fileField}=@file`,
          ...fieldsIn(body).map(([name, value]) => `-F ${quoted(`${name}=${value}`)}`),
        ]
      : []),
    ...(!fileField && hasBody(draft) ? [`-d ${quoted(body)}`] : []),
  ].join(' \\\n  ')
}

/** The fields of a form that are written as a JSON object. Anything else has none. */
export function fieldsIn(body: string): [string, string][] {
  try {
    const value: unknown = JSON.parse(body)
    return Object.entries(value ?? {}).map(([name, field]) => [name, String(field)])
  } catch {
    return []
  }
}
