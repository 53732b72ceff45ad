type Check = (fingerprint: string) => Promise<void>

/** The gate that the body of a request must pass. */
export type BodyGate = Readonly<{
  /** Whether the body has come to it. */
  isPassed: boolean
}>

class Gate implements BodyGate {
  readonly #check: Check
  #isPassed = false

  constructor(check: Check) {
    this.#check = check
  }

  get isPassed(): boolean {
    return this.#isPassed
  }

  pass(fingerprint: string): Promise<void> {
    this.#isPassed = true
    return this.#check(fingerprint)
  }
}

const gates = new WeakMap<object, Gate>()

/** Has `check` called with the fingerprint of a request's body once that is read, before anything is done with it. */
export const gateBody = (request: Request, check: Check): BodyGate => {
  const gate = new Gate(check)
  gates.set(request, gate)
  return gate
}

/**
 * Called by everything that reads the body of a request. Rejects where the request must not go on.
 * @param fingerprintOf called only where a fingerprint is needed
 */
export const passBodyGate = async (
  request: Request,
  fingerprintOf: () => string | Promise<string>,
): Promise<void> => {
  const gate = gates.get(request)
  if (gate) await gate.pass(await fingerprintOf())
}
