import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type BadListener,
  badCertificate,
  blackhole,
  refusedUrl,
  resetsHandshakes,
} from '../support/bad-listeners.ts'
import { FaultScene, JSON_AND_STREAM } from '../support/fault-scene.ts'

const CONNECT_TIMEOUT_MS = 3_000

describe.runIf(process.platform === 'linux')('an upstream that cannot be connected to', () => {
  let scene: FaultScene
  let silent: BadListener
  let resetting: BadListener
  let unvouched: BadListener

  beforeAll(async () => {
    silent = await blackhole()
    resetting = await resetsHandshakes()
    unvouched = await badCertificate()
    const nobody = await refusedUrl()
    scene = await FaultScene.start({
      deadlineMs: 20_000,
      env: () => ({
        GROQ_API_KEY: 'k',
        GROQ_BASE_URL: nobody,
        MISTRAL_API_KEY: 'k',
        MISTRAL_BASE_URL: 'http://nowhere.invalid/v1',
        OPENROUTER_API_KEY: 'k',
        OPENROUTER_BASE_URL: silent.baseUrl,
        GEMINI_API_KEY: 'k',
        GEMINI_BASE_URL: resetting.baseUrl,
        VLLM_BASE_URL: unvouched.baseUrl,
      }),
    })
  })
  afterAll(async () => {
    await scene?.stop()
    for (const listener of [silent, resetting, unvouched]) await listener?.stop()
  })

  describe.each(JSON_AND_STREAM)('%s', (_, stream) => {
    it.each([
      ['a port where nobody listens', 'groq/any'],
      ['a name that does not exist', 'mistral/any'],
    ])('F4: is tried again and then reported: %s', async (_name, model) => {
      const told = await scene.endures(model, stream)
      expect(told).toMatchObject({ status: 502, error: { code: 'NETWORK', retryable: true } })
      expect(told.headers.get('x-gateway-attempts')).toBe('3')
    })

    it('F5: is tried again when it resets the TLS handshake', async () => {
      const before = resetting.connections()
      const told = await scene.endures('gemini/any', stream)
      expect(told).toMatchObject({ status: 502, error: { code: 'NETWORK', retryable: true } })
      expect(resetting.connections() - before).toBe(3)
    })

    it('F5: is not asked at all, and not tried again, with a certificate of an unknown issuer', async () => {
      const before = unvouched.connections()
      const told = await scene.endures('vllm/any', stream)
      expect(told).toMatchObject({ status: 502, error: { code: 'NETWORK', retryable: false } })
      expect(told.headers.get('x-gateway-attempts')).toBe('1')
      expect(unvouched.connections() - before).toBe(1)
      expect(scene.gateway.everything).not.toContain('must not be reached')
    })
  })

  it('F4: is given three seconds to connect, and then tried again: one that drops every packet', async () => {
    const both = await Promise.all(JSON_AND_STREAM.map(([, stream]) => scene.ask('openrouter/any', stream)))
    for (const told of both) {
      await scene.expectCalm(told)
      expect(told).toMatchObject({ status: 504, error: { code: 'TIMEOUT', retryable: true } })
      expect(told.headers.get('x-gateway-attempts')).toBe('3')
      expect(told.elapsedMs).toBeGreaterThan(3 * CONNECT_TIMEOUT_MS - 500)
    }
  })
})
