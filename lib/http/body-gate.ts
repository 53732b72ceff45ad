type Gate = (fingerprint: string) => Promise<void>

const gates = new WeakMap<object, Gate>()

/** Has `gate` called with the fingerprint of a request's body once that is read, before anything is done with it. */
export const beforeBodyIsUsed = (request: Request, gate: Gate): void => void gates.set(request, gate)

/**
 * Called by everything that reads the body of a request. Rejects where the request must not go on.
 * @param fingerprintOf called only where a fingerprint is needed
 */
export const bodyIsRead = async (
  request: Request,
  fingerprintOf: () => string | Promise<string>,
): Promise<void> => {
  const gate = gates.get(request)
  if (gate) await gate(await fingerprintOf())
}
