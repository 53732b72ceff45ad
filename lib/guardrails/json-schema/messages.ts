/** A text to check against a schema, both JSON. */
export type CheckRequest = Readonly<{ id: number; schema: string; text: string }>

export type CheckResult =
  | Readonly<{ outcome: 'valid' }>
  | Readonly<{
      outcome: 'invalid'
      /** Where, as a JSONPath. Names that the schema does not have are `*`: they are words of the answer. */
      path: string
      /** The keyword of the schema that fails; `json` where the text is none. */
      keyword: string
      /** The whole, for the model that wrote the text. */
      explanation: string
    }>
  /** The schema cannot be used, or not in time. */
  | Readonly<{ outcome: 'unchecked'; reason: 'unusable-schema' | 'too-slow' | 'busy' }>

/** `ready`: the thread has loaded its program. */
export type FromThread = Readonly<{ ready: true }> | Readonly<{ id: number; result: CheckResult }>
