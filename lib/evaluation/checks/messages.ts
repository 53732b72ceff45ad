/** A check in the thread. `pattern` and `schema` only say what is wrong with the expression or the schema itself. */
export type CheckRequest =
  | Readonly<{ kind: 'pattern'; pattern: string; flags: string }>
  | Readonly<{ kind: 'match'; pattern: string; flags: string; text: string }>
  | Readonly<{ kind: 'schema'; schema: unknown }>
  | Readonly<{ kind: 'validate'; schema: unknown; text: string }>
