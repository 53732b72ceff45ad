import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, ROOT } from '../support/gateway.ts'
import { refuses, says } from '../support/upstream-behaviour.ts'

let upstream: FakeUpstream
let gateway: GatewayProcess | undefined
beforeAll(async () => {
  upstream = await FakeUpstream.start()
})
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
})
afterAll(() => upstream.stop())

const folder = (): string => mkdtempSync(join(tmpdir(), 'parley-config-'))

const start = async (path: string, env: Record<string, string> = {}): Promise<GatewayProcess> => {
  gateway = await GatewayProcess.start('native', {
    GATEWAY_CONFIG: path,
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: upstream.baseUrl,
    RATE_LIMIT_ANONYMOUS: '1000/1m',
    RATE_LIMIT_API: '100000/1m',
    ENABLE_CACHING: 'false',
    ...env,
  })
  return gateway
}

const eventually = async (look: () => Promise<boolean>, what: string): Promise<void> => {
  await expect.poll(look, { timeout: 20_000, interval: 25, message: what }).toBe(true)
}

const names = async ({ url }: GatewayProcess): Promise<string[]> =>
  (await json(await fetch(`${url}/api/models`))).models.map(({ id }: { id: string }) => id)

const knows = (running: GatewayProcess, name: string) =>
  eventually(async () => (await names(running)).includes(name), name)

const configHealth = async ({ url }: GatewayProcess) =>
  (await json(await fetch(`${url}/api/health`))).services.config

const aliasTo = (name: string, model: string, strategy = 'priority'): string =>
  `aliases:\n  ${name}:\n    strategy: ${strategy}\n    targets:\n      - model: ${model}\n`

const replace = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

describe('a configuration file', () => {
  it('gives models, prices, aliases and limits; the arm is in the reply and the log', async () => {
    const path = join(folder(), 'gateway.yaml')
    const model =
      'models: [{ id: mine, provider: openai, model: their-name, usdPerMillion: { input: 1000000, output: 0 } }]\n'
    writeFileSync(
      path,
      `${model}${aliasTo('fast', 'mine', 'weighted')}limits: { chat: { anonymous: 7/1m } }\n`,
    )
    const running = await start(path)
    const answer = await post(running.url, { prompt: 'Hello', model: 'fast' })
    expect(answer.headers.get('x-gateway-arm')).toBe('mine')
    expect(answer.headers.get('x-ratelimit-limit')).toBe('7')
    const body = await json(answer)
    expect(body).toMatchObject({ model: 'mine', provider: 'openai' })
    expect(body.costUsd).toBe(body.usage.inputTokens)
    expect(upstream.callsFor('their-name')).toHaveLength(1)
    expect(await running.lineOf(body.requestId)).toMatchObject({ arm: 'mine', model: 'mine' })
    expect((await post(running.url, { prompt: 'Hello', model: 'nobody' })).status).toBe(400)
  })

  it('is taken over when it is replaced, and limits go on counting', async () => {
    const path = join(folder(), 'gateway.yaml')
    writeFileSync(path, aliasTo('one', 'gpt-4o'))
    const running = await start(path)
    await post(running.url, { prompt: 'Hello', model: 'one' })
    replace(path, aliasTo('two', 'gpt-4o'))
    await knows(running, 'two')
    expect(await names(running)).not.toContain('one')
    const answer = await post(running.url, { prompt: 'Hello', model: 'two' })
    expect(answer.headers.get('x-ratelimit-remaining')).toBe('998')
  })

  it('leaves calls under way and what is known of providers alone when it is taken over', async () => {
    const path = join(folder(), 'gateway.yaml')
    const gate = Promise.withResolvers<void>()
    const slow = upstream.modelThat(async (...call) => {
      await gate.promise
      await says(['At last'])(...call)
    })
    const gone = upstream.modelThat(refuses(500))
    const once = 'resilience: { breaker: { failures: 1 }, retries: { most: 0 } }\n'
    writeFileSync(path, `${once}${aliasTo('old', `openai/${slow}`)}`)
    const running = await start(path)
    const ask = (model: string) => post(running.url, { prompt: 'Hello', model })
    expect((await ask(`openai/${gone}`)).status).toBe(502)
    const underWay = ask('old')
    await running.until(() => upstream.callsFor(slow).length === 1, 'the slow call')

    replace(path, aliasTo('new', 'gpt-4o'))
    await knows(running, 'new')
    expect((await ask('old')).status).toBe(400)
    expect(await json(await ask(`openai/${gone}`))).toMatchObject({ error: { code: 'MODEL_UNAVAILABLE' } })
    expect(upstream.callsFor(gone)).toHaveLength(1)
    gate.resolve()
    expect(await json(await underWay)).toMatchObject({ content: 'At last', finishReason: 'stop' })
  })

  it('with a fault changes nothing, is reported in log, metric and health, and recovers (F56)', async () => {
    const path = join(folder(), 'gateway.yaml')
    writeFileSync(path, aliasTo('old', 'gpt-4o'))
    const running = await start(path)
    expect(await configHealth(running)).toEqual({ status: 'healthy' })
    const broken = {
      'a half-written one': 'aliases:\n  new: { strategy: pri',
      'an unknown provider': `${aliasTo('new', 'gpt-4o')}models:\n  - { id: x, provider: nobody }\n`,
      'an alias of an alias': `${aliasTo('new', 'other')}  other: { strategy: priority, targets: [{ model: new }] }\n`,
    }
    let failures = 0
    for (const [what, text] of Object.entries(broken)) {
      replace(path, text)
      failures += 1
      await eventually(
        async () =>
          (await (await fetch(`${running.url}/metrics`)).text()).includes(
            `parley_config_reloads_total{result="failure"} ${failures}`,
          ),
        what,
      )
      expect(await configHealth(running)).toMatchObject({
        status: 'degraded',
        message: expect.stringMatching(/line \d/),
      })
      const known = await names(running)
      expect([known.includes('old'), known.includes('new')]).toEqual([true, false])
    }
    expect(running.everything).toContain('models[0].provider')
    rmSync(path)
    await eventually(async () => (await configHealth(running)).message.includes('ENOENT'), 'a missing file')
    replace(path, aliasTo('new', 'gpt-4o'))
    await knows(running, 'new')
    expect(await configHealth(running)).toEqual({ status: 'healthy' })
    expect(await (await fetch(`${running.url}/metrics`)).text()).toContain(
      'parley_config_last_reload_success 1',
    )
  })

  it('is taken over when links are swapped as Kubernetes does', async () => {
    const root = folder()
    for (const name of ['one', 'two']) {
      mkdirSync(join(root, `..${name}`))
      writeFileSync(join(root, `..${name}`, 'gateway.yaml'), aliasTo(name, 'gpt-4o'))
    }
    symlinkSync('..one', join(root, '..data'))
    symlinkSync('..data/gateway.yaml', join(root, 'gateway.yaml'))
    const running = await start(join(root, 'gateway.yaml'))
    symlinkSync('..two', join(root, '..data_tmp'))
    renameSync(join(root, '..data_tmp'), join(root, '..data'))
    await knows(running, 'two')
  })

  it('with a fault at the start stops it, and says where', async () => {
    const path = join(folder(), 'gateway.yaml')
    writeFileSync(path, 'limits:\n  rest: often\n')
    gateway = await GatewayProcess.spawn('native', { GATEWAY_CONFIG: path })
    expect(await gateway.exited()).toBe(1)
    expect(gateway.everything).toContain('line 2, limits.rest')
  })
})

describe('config:check', () => {
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/config-check.ts', ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production' },
    })
    return { status, stdout, stderr }
  }
  const check = (text: string) => {
    const path = join(folder(), 'gateway.yaml')
    writeFileSync(path, text)
    return run(path)
  }

  it('tells every fault with path and line, and fails', () => {
    const { status, stderr } = check(`${aliasTo('fast', 'nobody')}fallbacks:\n  gpt-4o: [gpt-4o, fast]\n`)
    expect(status).toBe(1)
    expect(stderr).toContain('line 5, aliases.fast.targets[0].model: is not a model of this gateway')
    expect(stderr).toContain('line 7, fallbacks.gpt-4o[0]: cannot be its own fallback')
    expect(stderr).toContain('line 7, fallbacks.gpt-4o[1]: is an alias')
  })

  it('tells in short what it found in one without fault', () => {
    expect(check(aliasTo('fast', 'gpt-4o'))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('0 models, 1 aliases'),
    })
  })

  it('checks one file: it ignores no second one, and says why a file cannot be read', () => {
    const usage = 'usage: npm run config:check -- FILE\n'
    expect(run('--help')).toEqual({ status: 0, stdout: usage, stderr: '' })
    expect(run()).toEqual({ status: 2, stdout: '', stderr: usage })
    const path = join(folder(), 'gateway.yaml')
    writeFileSync(path, '{}')
    expect(run(path, join(folder(), 'other.yaml'))).toEqual({ status: 2, stdout: '', stderr: usage })
    const missing = join(folder(), 'missing.yaml')
    expect(run(missing)).toEqual({
      status: 1,
      stdout: '',
      stderr: `${missing} cannot be read (ENOENT)\n`,
    })
  })
})
