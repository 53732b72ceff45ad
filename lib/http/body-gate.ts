type Check = (fingerprint: string) => Promise<void>

const gates = new WeakMap<object, Check>()

/** Has `check` called with the fingerprint of a request's body once that is read, before anything is done with it. */
export const gateBody = (request: Request, check: Check): void => void gates.set(request, check)

/**
 * Called by everything that reads the body of a request. Rejects where the request must not go on.
 * @param fingerprintOf called only where a fingerprint is needed
 */
export const passBodyGate = async (
  request: Request,
  fingerprintOf: () => string | Promise<string>,
): Promise<void> => {
  const check = gates.get(request)
  if (check) await check(await fingerprintOf())
}
