import type { RequestContext } from '../../request-context.ts'
import type { VendorObjects } from '../../vendor-objects/assert-own.ts'
import { type RawJson, readEncodedJson } from '../body.ts'

export type ModelRequestDeps = Readonly<{
  env: Readonly<{ V1_MAX_BODY_BYTES: number }>
  vendorObjects: VendorObjects
}>

/**
 * The JSON body of a request to a model, which may pass on to a vendor as it is.
 * @throws GatewayError as `readEncodedJson` does, and INVALID_INPUT for the id of another's object at the vendor
 */
export const readModelRequest = async (
  request: Request,
  { caller }: RequestContext,
  { env, vendorObjects }: ModelRequestDeps,
): Promise<RawJson> => {
  const sent = await readEncodedJson(request, env.V1_MAX_BODY_BYTES)
  await vendorObjects.assertOwn(caller, sent.value)
  return sent
}
