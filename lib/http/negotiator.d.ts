declare module 'negotiator' {
  /** Reads the headers of a request by which it chooses among representations. */
  export default class Negotiator {
    constructor(request: Readonly<{ headers: Readonly<Record<string, string>> }>)
    /** Acceptable encodings of `available`, best first; `preferred` decides between equally welcome ones. */
    encodings(
      available: readonly string[],
      options: Readonly<{ preferred: readonly string[] }>,
    ): readonly string[]
  }
}
