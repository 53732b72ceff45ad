import { expect, test } from './support/batches.ts'

const ANSWER = '# A title\n\nSome **bold** text\n\n- one\n- two\n\nThe last paragraph'

test('shows an item whole: its prompt, its answer as Markdown with Copy, or why it failed', async ({
  batches,
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await batches.open()
  await batches.submit('Whole', [ANSWER, 'Fail'])
  const job = batches.job('Whole')
  await expect(job).toContainText('1 failed')
  await job.getByRole('button', { name: 'Items of Whole' }).click()
  const rows = job.locator('tbody tr[data-item-state]')
  await expect(rows.nth(0)).toContainText('A title')
  await expect(rows.nth(0)).not.toContainText('#')
  await expect(job.getByText('The last paragraph')).toHaveCount(0)

  await rows.nth(0).getByRole('button').press('Enter')
  const answer = job.getByRole('region', { name: 'Answer of 1' })
  await expect(answer.getByRole('heading', { name: 'A title' })).toBeVisible()
  await expect(answer.getByRole('listitem')).toHaveText(['one', 'two'])
  await expect(answer).toContainText('The last paragraph')
  await expect(job.getByRole('region', { name: 'Prompt of 1' })).toContainText('# A title')
  await answer.getByRole('button', { name: 'Copy answer' }).click()
  await expect(answer.getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(ANSWER)

  await rows.nth(1).getByRole('button').click()
  await expect(job.getByRole('region', { name: 'Error of 2' })).toContainText(/\w+ \w+.*[A-Z_]+/)
  await expect(answer).toBeVisible()
  await rows.nth(0).getByRole('button').click()
  await expect(answer).toHaveCount(0)
})

for (const width of [390, 320])
  test(`stacks the lines of an item on a screen of ${width} px, and nothing sticks out`, async ({
    batches,
    page,
  }) => {
    await page.setViewportSize({ width, height: 700 })
    await batches.open()
    await batches.submit('Phone', [`${'unbroken'.repeat(30)} and more`, 'Two'])
    const job = batches.job('Phone')
    await expect(job).toContainText('2 of 2 succeeded')
    await job.getByRole('button', { name: 'Items of Phone' }).click()
    const row = job.locator('tbody tr[data-item-state]').first()
    await expect(row).toBeVisible()
    const tops = await row
      .locator('th, td')
      .evaluateAll(cells =>
        cells.map(cell => cell.getBoundingClientRect()).map(({ left, top }) => ({ left, top })),
      )
    expect(new Set(tops.map(({ left }) => left)).size).toBe(1)
    expect(new Set(tops.map(({ top }) => top)).size).toBe(tops.length)
    await row.getByRole('button').click()
    await expect(job.getByRole('region', { name: 'Answer of 1' })).toBeVisible()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
  })

test('says which model a batch waits for, and gives no time left meanwhile', async ({ batches }) => {
  await batches.open()
  await batches.submit('Waiting', ['One', 'Busy'])
  const job = batches.job('Waiting')
  await expect(job).toContainText('Waiting for')
  await expect(job).toContainText('1 of 2 succeeded')
  await expect(job).toContainText('time left unknown')
  await expect(job).toContainText(/OpenAI is getting too many requests\. .*Next try at \d+:\d\d:\d\d [AP]M\./)
  await expect(job).not.toContainText(/about .* left/)
})

test('asks before it cancels or deletes, with a button in the danger colour', async ({ batches, page }) => {
  await batches.open()
  await batches.submit('Long', ['Stay'])
  await batches.job('Long').getByRole('button', { name: 'Cancel' }).click()
  const [button, text] = await page.getByRole('button', { name: 'Cancel batch' }).evaluate(element => {
    const probe = document.createElement('i')
    probe.style.color = 'var(--color-danger)'
    document.body.append(probe)
    return [getComputedStyle(element).backgroundColor, getComputedStyle(probe).color]
  })
  expect(button).toBe(text)
})
