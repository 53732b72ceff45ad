import { expect, it } from 'vitest'
import { createLogger } from '#lib/observability/logger.ts'
import { redactor } from '#lib/observability/redact.ts'
import { logConsole } from '#lib/process/console-log.ts'

it('logs what libraries print as one line of JSON each, a stack inside it, and no secret', () => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const printer = Object.create(console)
  logConsole(
    createLogger({ level: 'debug', pretty: false, redact: redactor(['hunter22']), destination }),
    printer,
  )
  printer.error('\u001b[31m⨯\u001b[39m', new TypeError('bad hunter22'))
  printer.log('first\nsecond')
  expect(lines).toHaveLength(2)
  expect(lines.every(line => line.indexOf('\n') === line.length - 1)).toBe(true)
  const [failure, remark] = lines.map(line => JSON.parse(line))
  expect(failure).toMatchObject({ level: 'error', message: '⨯', component: 'console' })
  expect(failure.err).toMatchObject({ type: 'TypeError', stack: expect.stringContaining('bad ***') })
  expect(remark).toMatchObject({ level: 'debug', message: 'first\nsecond' })
})
