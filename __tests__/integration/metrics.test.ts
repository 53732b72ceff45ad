import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { refuses } from '../support/upstream-behaviour.ts'

const TOKEN = 'metrics-token-0123456789'

describe('GET /metrics', () => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test-0123456789',
      OPENAI_BASE_URL: upstream.baseUrl,
      METRICS_TOKEN: TOKEN,
      RATE_LIMIT_ANONYMOUS: '5/1m',
      BREAKER_FAILURES: '1',
      MAX_RETRIES: '0',
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  const metrics = (token?: string) =>
    fetch(
      `${gateway.url}/metrics`,
      token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
    )

  it.each([undefined, 'another-token-0123456789'])('refuses a stranger (%s)', async token => {
    const answer = await metrics(token)
    expect(answer.status).toBe(401)
    expect((await json(answer)).error.code).toBe('UNAUTHENTICATED')
  })

  it('counts what the upstream’s own books say, and repeats nothing of what was said', async () => {
    const words = 'a-word-nobody-else-uses'
    await post(gateway.url, { prompt: words, model: 'gpt-4o-mini' })
    await post(gateway.url, { prompt: words, model: 'gpt-4o-mini' })
    upstream.forModel('secret-model-name', refuses(500))
    await post(gateway.url, { prompt: words, model: 'openai/secret-model-name', fallback: false })
    for (let call = 0; call < 3; call += 1)
      await post(gateway.url, { prompt: `${words} ${call}`, model: 'gpt-4o-mini' })
    const calls = upstream.callsFor('gpt-4o-mini').length

    const answer = await metrics(TOKEN)
    expect(answer.headers.get('content-type')).toContain('text/plain')
    const text = await answer.text()
    expect(text).toContain(`parley_attempts_total{provider="openai",code="OK"} ${calls}`)
    expect(text).toContain('parley_attempts_total{provider="openai",code="PROVIDER_ERROR"} 1')
    expect(text).toContain('parley_cache_results_total{result="hit"} 1')
    expect(text).toContain(`parley_cache_results_total{result="miss"} ${calls}`)
    expect(text).toContain(
      `parley_tokens_total{provider="openai",model="gpt-4o-mini",direction="input"} ${7 * calls}`,
    )
    expect(text).toContain('parley_limit_decisions_total{surface="chat",decision="refused"} 1')
    expect(text).toContain('parley_circuit_state{provider="openai",model="other"} 2')
    expect(text).toMatch(
      /parley_requests_total\{route="\/api\/chat",method="POST",status="429",outcome="error"\} 1/,
    )
    expect(text).toMatch(/^parley_open_requests 1$/m)
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m)
    for (const secret of [words, 'secret-model-name', 'sk-test', '127.0.0.1', TOKEN])
      expect(text).not.toContain(secret)
  })
})
