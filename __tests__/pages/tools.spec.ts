import type { Page } from '@playwright/test'
import { json, openMeteoOn } from '../support/fake-service.ts'
import { openAiModel } from '../support/tool-calling.ts'
import { sidewaysOverflow } from './support/fit.ts'
import { expect, ask as send, test } from './support/held-answers.ts'
import { keepLooks } from './support/looks.ts'

const picker = (page: Page) => page.locator('.tool-picker')
const openPicker = (page: Page) => picker(page).locator('summary').click()

const allowWeather = async (page: Page) => {
  await openPicker(page)
  await page.getByRole('checkbox', { name: 'Weather' }).check()
  await openPicker(page)
}

const asksFor = (...locations: string[]) =>
  openAiModel(asked =>
    asked.messages.at(-1)?.role === 'tool'
      ? { text: 'It is **3.4 degrees** in Berlin, under a clear sky.' }
      : {
          calls: locations.map((location, at) => ({
            id: `call_${at}`,
            name: 'weather',
            input: { location },
          })),
        },
  )

test('shows which tools run, how they ended and whose data it is, in light, in dark, at 320 and at 390 px', async ({
  everyLook,
  parley,
  upstream,
  service,
  page,
}) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  openMeteoOn(service).on('/v1/forecast', async (...exchange) => {
    await released
    await json({
      current_units: { temperature_2m: '°C' },
      current: { time: '2026-11-28T10:00', temperature_2m: 3.4, weather_code: 0 },
    })(...exchange)
  })
  upstream.usually(asksFor('Berlin', ''))
  await parley.open()
  await allowWeather(page)
  await send(parley, 'How warm is it in Berlin?')

  const runs = parley.answer.getByRole('list', { name: 'Tools used for this answer' }).getByRole('listitem')
  await expect(runs.first()).toHaveText(/Weather\s*running…/)
  await expect(parley.status).toContainText('Tool running: Weather')
  await keepLooks(page, 'tools-running')

  release()
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  await expect(runs.first()).toHaveText(/Weather\s*.*Open-Meteo/)
  await expect(runs.nth(1)).toHaveText(/Weather\s*failed: ./)
  await expect(parley.answer).toContainText('3.4 degrees')
  await expect(parley.status).toContainText('The answer is complete.')
  await everyLook('tools-done', async () => {
    expect(await sidewaysOverflow(page), 'nothing sticks out sideways').toBe(0)
  })
  await page.setViewportSize({ width: 390, height: 800 })
  expect(await sidewaysOverflow(page), 'nothing sticks out at 390 px').toBe(0)

  await page.reload()
  await expect(runs.first()).toHaveText(/Weather\s*.*Open-Meteo/)
})

test('offers the tools that the gateway has, remembers the choice, and sends it with a question that is tried again too', async ({
  everyLook,
  parley,
  upstream,
  service,
  page,
}) => {
  openMeteoOn(service)
  upstream.usually(asksFor('Berlin'))
  await parley.open()
  await send(parley, 'Hello without any tool')
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  expect(Object.keys(upstream.calls.at(-1)?.asked ?? {})).not.toContain('tools')

  await openPicker(page)
  await expect(page.getByRole('checkbox')).toHaveCount(5)
  const weather = page.getByRole('checkbox', { name: 'Weather', exact: true })
  await expect(weather).toHaveAccessibleDescription('The current weather at a place.')
  await weather.check()
  await parley.composer.fill('Not yet')
  await openPicker(page)
  await weather.press('Enter')
  await expect(parley.composer).toHaveValue('Not yet')
  await parley.composer.fill('')
  await openPicker(page)
  await everyLook('tools-picker', async () => {
    expect(await sidewaysOverflow(page), 'nothing sticks out sideways').toBe(0)
  })
  await page.keyboard.press('Escape')
  await expect(page.getByRole('checkbox')).toHaveCount(0)
  await expect(picker(page).locator('summary')).toBeFocused()
  await openPicker(page)
  await parley.composer.click()
  await expect(page.getByRole('checkbox')).toHaveCount(0)

  await page.reload()
  await expect(picker(page).locator('summary')).toHaveText('Tools1 chosen')
  const asked = page.waitForRequest('**/api/chat')
  await send(parley, 'How warm is it in Berlin?')
  expect((await asked).postDataJSON().tools).toEqual(['weather'])
  await expect(parley.answer).toHaveAttribute('data-state', 'done')
  const again = page.waitForRequest('**/api/chat')
  await page.getByRole('button', { name: 'Ask again' }).last().click()
  expect((await again).postDataJSON().tools).toEqual(['weather'])
})
