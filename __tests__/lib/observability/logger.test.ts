import { describe, expect, it } from 'vitest'
import { createLogger, type Logger } from '#lib/observability/logger.ts'
import { redactor } from '#lib/observability/redact.ts'

const SECRET = 'my-own-configured-secret'

const written = (
  write: (logger: ReturnType<typeof createLogger>) => void,
): { text: string; lines: Record<string, unknown>[] } => {
  let text = ''
  const destination = {
    write(line: string) {
      text += line
    },
  }
  write(createLogger({ level: 'info', pretty: false, redact: redactor([SECRET]), destination }))
  return {
    text,
    lines: text
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line)),
  }
}

describe('the log', () => {
  it('holds one JSON object a line, with time, level and message', () => {
    const { lines } = written(logger => logger.info({ requestId: 'r1', status: 200 }, 'answered'))
    expect(lines).toEqual([
      {
        level: 'info',
        timestamp: expect.stringMatching(/Z$/),
        requestId: 'r1',
        status: 200,
        message: 'answered',
      },
    ])
  })

  it('drops every field that is not on its list', () => {
    const { text } = written(logger =>
      logger.info({ prompt: 'hello', headers: { cookie: 'x' }, status: 200 }, 'm'),
    )
    expect(text).not.toMatch(/hello|cookie|prompt|headers/)
  })

  it('says of a budget whose it is, and the amounts; a field that it would drop does not compile', () => {
    const notice = { component: 'budgets', scope: 'owner:team', period: 'month', spentUsd: 8, limitUsd: 10 }
    const { lines } = written((logger: Logger) => {
      logger.warn(notice, 'most of a budget is spent')
      // @ts-expect-error -- not on the list
      logger.warn({ ...notice, prompt: 'hello' }, 'm')
    })
    expect(lines[0]).toMatchObject(notice)
    expect(lines[1]).not.toHaveProperty('prompt')
  })

  it('drops them in child loggers too', () => {
    const { lines } = written(logger => logger.child({ component: 'batch' }).info({ prompt: 'hello' }, 'm'))
    expect(lines[0]).toMatchObject({ component: 'batch' })
    expect(lines[0]).not.toHaveProperty('prompt')
  })

  it('masks secrets, its own and those of known shapes, wherever they turn up', () => {
    const cause = new Error('Bearer abcdefghijklmnop was refused by https://user:pass@host/')
    const err = new Error(`key ${SECRET} and sk-abcdefghijklmnop`, { cause })
    const { text } = written(logger => logger.error({ err }, `with ${SECRET}`))
    for (const secret of [SECRET, 'sk-abcdefghijklmnop', 'abcdefghijklmnop', 'user:pass'])
      expect(text).not.toContain(secret)
    expect(text).toContain('***')
  })

  it('keeps one event on one line, whatever is in it', () => {
    const { text, lines } = written(logger =>
      logger.info({ model: 'a\r\n{"level":"fatal"}\u001b[31m' }, 'm\nn'),
    )
    for (const raw of ['\n', '\r', '\u001b']) expect(text.trimEnd()).not.toContain(raw)
    expect(lines).toHaveLength(1)
  })
})
