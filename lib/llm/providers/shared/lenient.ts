/** Upstreams leave out, null or rename what their documents promise: every part of an answer is optional. */
export type Lenient<T> = T extends readonly (infer Item)[]
  ? readonly Lenient<Item>[] | null
  : T extends object
    ? { readonly [Key in keyof T]?: Lenient<T[Key]> | null }
    : T

/** The object that a text holds as JSON; nothing where it holds anything else. */
export const parseObject = <T extends object>(json: string): T | undefined => {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as T) : undefined
  } catch {
    return undefined
  }
}
