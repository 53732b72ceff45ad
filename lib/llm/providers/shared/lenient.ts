/** Upstreams leave out, null or rename what their documents promise: every part of an answer is optional. */
export type Lenient<T> = T extends readonly (infer Item)[]
  ? readonly Lenient<Item>[] | null
  : T extends object
    ? { readonly [Key in keyof T]?: Lenient<T[Key]> | null }
    : T

/** A text's JSON value; undefined where it is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An object of an upstream's, of whose fields nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** A value as an object; undefined where it is anything else, an array included. */
export const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
