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
