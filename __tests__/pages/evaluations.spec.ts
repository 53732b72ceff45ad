import { sidewaysOverflow, smallTargets } from './support/fit.ts'
import { expect, test } from './support/parley.ts'

const ROWS = ['Paris', 'Rome', 'Lima']
  .map(city => JSON.stringify({ input: city, reference: city }))
  .join('\n')

test('compares two models on an uploaded data set, can be used by everyone, and fits every width', async ({
  everyLook,
  page,
  parley: _,
}, info) => {
  await page.goto('/evaluations')
  await page.getByLabel('Data set').setInputFiles({
    name: `cities-${info.testId.slice(-6)}.jsonl`,
    mimeType: 'application/jsonl',
    buffer: Buffer.from(ROWS),
  })
  await page.getByLabel('Models, separated by commas').fill('mock, mock/echo')
  await page.getByLabel('Required score').fill('0.8')
  await page.getByLabel('Exact text').check()
  await page.getByRole('button', { name: 'Start evaluation' }).click()

  const card = page.getByRole('article').first()
  await expect(card).toContainText('Finished', { timeout: 60_000 })
  await expect(card.getByRole('list', { name: 'Scores' })).toContainText('mock/echo1.00 (1.00 to 1.00)')
  await expect(card.getByRole('row', { name: /^mock\/echo/ })).toContainText('3 / 0 / 0')
  await expect(card.getByRole('link', { name: 'Report as CSV' })).toHaveAttribute('href', /format=csv$/)
  await everyLook('evaluations', async () => {
    expect(await smallTargets(page)).toEqual([])
    expect(await sidewaysOverflow(page), 'nothing sticks out sideways').toBe(0)
  })

  const name = await card.getByRole('heading').textContent()
  await card.getByRole('button', { name: /^Delete/ }).click()
  await expect(page.getByRole('article', { name: name ?? '', exact: true })).toHaveCount(0)
})

test('says what is wrong with a data set', async ({ page, parley: _ }) => {
  await page.goto('/evaluations')
  await page.getByLabel('Data set').setInputFiles({
    name: 'broken.jsonl',
    mimeType: 'application/jsonl',
    buffer: Buffer.from('{"reference": "no input"}'),
  })
  await page.getByRole('button', { name: 'Start evaluation' }).click()
  await expect(page.getByRole('main').getByRole('alert')).toContainText('line 1.input is required')
})

test('says what is missing in the words of the form, before it uploads anything', async ({
  page,
  parley: _,
}) => {
  await page.goto('/evaluations')
  let uploads = 0
  await page.route('**/api/evaluations/datasets', route => {
    uploads += 1
    return route.abort()
  })
  await page.getByLabel('Data set').setInputFiles({
    name: 'one.jsonl',
    mimeType: 'application/jsonl',
    buffer: Buffer.from(ROWS),
  })
  const alert = page.getByRole('main').getByRole('alert')
  const start = page.getByRole('button', { name: 'Start evaluation' })
  await page.getByLabel('Contains the reference').uncheck()
  await start.click()
  await expect(alert).toHaveText('Choose at least one grader.')
  await page.getByLabel('Models, separated by commas').fill(' , ')
  await start.click()
  await expect(alert).toHaveText('Name at least one model.')
  expect(uploads).toBe(0)
})

const RUN = {
  id: 'eval_1',
  name: 'Capitals',
  state: 'running',
  dataset: { id: 'dataset_1', name: 'Capitals', rows: 2 },
  counts: { total: 2, succeeded: 1, failed: 0 },
  progress: 0.5,
  variants: [{ name: 'mock', model: 'mock' }],
  threshold: null,
  costUsd: 0,
  createdAt: '2026-11-29T12:00:00.000Z',
}
const BUSY = {
  status: 503,
  json: { error: { code: 'STORE_UNAVAILABLE', message: 'The database is away.', retryable: true } },
}

test('goes on showing progress after a failure that passes, and asks seldom enough for a guest', async ({
  page,
  parley: _,
}) => {
  await page.clock.install()
  const lists = [
    { json: { evaluations: [RUN] } },
    BUSY,
    { json: { evaluations: [{ ...RUN, state: 'completed', progress: 1 }] } },
  ]
  let asked = 0
  await page.route('**/api/evaluations?limit=50', route => {
    asked += 1
    return route.fulfill(lists[asked - 1])
  })
  await page.goto('/evaluations')
  const card = page.getByRole('article')
  await expect(card).toContainText('Running')
  await page.clock.fastForward(4_000)
  expect(asked).toBe(1)
  await page.clock.fastForward(1_000)
  const notice = page.getByText('The database is away.')
  await expect(notice).toBeVisible()
  await expect(card).toContainText('Running')
  await page.clock.fastForward(5_000)
  await expect(card).toContainText('Finished')
  await expect(notice).toHaveCount(0)
})

test('keeps an evaluation that could not be deleted, and says why', async ({ page, parley: _ }) => {
  await page.route('**/api/evaluations?limit=50', route =>
    route.fulfill({ json: { evaluations: [{ ...RUN, state: 'completed', progress: 1 }] } }),
  )
  await page.route('**/api/evaluations/eval_1', route => route.fulfill(BUSY))
  await page.goto('/evaluations')
  const card = page.getByRole('article')
  await card.getByRole('button', { name: 'Delete Capitals' }).click()
  await expect(card.getByRole('alert')).toHaveText('The database is away.')
})
