import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FakeUpstream } from '../__tests__/support/fake-upstream.ts'
import { GatewayProcess, HOSTS, type HostName } from '../__tests__/support/gateway.ts'
import { behaveForPython } from '../__tests__/support/python-behaviour.ts'
import { ensureBuilt } from '../lib/native/console-build.ts'
import { ROOT, run, say } from './step.ts'

const TESTS = join(ROOT, '__tests__/python')
const REQUIREMENTS = join(TESTS, 'requirements.txt')
/** The exit code where Python or the packages cannot be had: nothing was tested (EX_TEMPFAIL of sysexits.h). */
const NOTHING_TESTED = 75

class NotToBeHad extends Error {}

const versionOfPython = (): string => {
  const { status, stdout } = spawnSync('python3', ['--version'], { encoding: 'utf8' })
  if (status !== 0) throw new NotToBeHad('There is no python3 on the PATH.')
  return stdout.trim()
}

/** Makes a virtual environment with the packages, once for their versions and Python's. @returns its interpreter */
const ensurePackages = async (): Promise<string> => {
  const versions = readFileSync(REQUIREMENTS, 'utf8') + versionOfPython()
  const name = createHash('sha256').update(versions).digest('hex').slice(0, 16)
  const directory = join(ROOT, 'node_modules/.cache/parley-python', name)
  const [python, stamp] = [join(directory, 'bin/python'), join(directory, 'complete')]
  if (existsSync(stamp)) return python
  rmSync(directory, { recursive: true, force: true })
  say('Installing the Python clients …')
  if ((await run('python3', ['-m', 'venv', directory])) !== 0)
    throw new NotToBeHad('python3 cannot make a virtual environment (Debian: install “python3-venv”).')
  const once = ['--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '30']
  const pip = ['-m', 'pip', 'install', ...once, '-r', REQUIREMENTS]
  if ((await run(python, pip)) !== 0) throw new NotToBeHad('pip could not install the packages.')
  writeFileSync(stamp, '')
  return python
}

/** Runs the Python tests against a gateway. @returns their exit code */
const testThrough = async (host: HostName, python: string): Promise<number> => {
  say(`\nPython’s clients through the ${host} server …`)
  const upstream = behaveForPython(await FakeUpstream.start())
  const baseUrl = upstream.baseUrl
  try {
    const gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: baseUrl,
      OPENAI_COMPATIBLE_BASE_URL: baseUrl,
      ANTHROPIC_API_KEY: 'sk-ant-test',
      ANTHROPIC_BASE_URL: baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
    })
    try {
      return await run(python, ['-m', 'unittest', 'discover', '--start-directory', TESTS], {
        PARLEY_URL: gateway.url,
        UPSTREAM_URL: baseUrl,
        PYTHONDONTWRITEBYTECODE: '1',
        LANGSMITH_TRACING: 'false',
      })
    } finally {
      await gateway.stop()
    }
  } finally {
    await upstream.stop()
  }
}

/** The clients of Python, in a virtual environment of their own, through both servers. */
const main = async (): Promise<number> => {
  const python = await ensurePackages()
  await ensureBuilt(ROOT)
  let failed = 0
  for (const host of HOSTS) if ((await testThrough(host, python)) !== 0) failed += 1
  say(failed === 0 ? '\nPython’s clients: passed' : '\nPython’s clients: FAILED')
  return failed === 0 ? 0 : 1
}

main().then(
  code => {
    process.exitCode = code
  },
  (error: unknown) => {
    if (!(error instanceof NotToBeHad)) throw error
    say(`\n*** Python’s clients were NOT TESTED: ${error.message} ***`)
    process.exitCode = NOTHING_TESTED
  },
)
