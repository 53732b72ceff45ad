import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtInTools, type ServicesSettings } from '#lib/tools/services.ts'
import { type Answer, FakeService, json, openMeteoOn, type Received } from '../../support/fake-service.ts'
import { newRunner, servicesAt, toolNamed } from '../../support/tools.ts'

let service: FakeService
beforeAll(async () => {
  service = await FakeService.start()
})
afterAll(() => service.stop())

type Case = Readonly<{
  title: string
  tool: string
  input: object
  path: string
  answer: Answer
  settings: (url: string) => Partial<ServicesSettings>
  data: unknown
  asked: (request: Received) => unknown
  is: unknown
}>

const query = ({ url }: Received) => Object.fromEntries(url.searchParams)
const news = {
  articles: [
    {
      source: { name: 'The Paper' },
      title: 'A\u0000 title',
      description: 'What  it says',
      url: 'https://news.example/a',
      publishedAt: '2026-11-28T10:00:00Z',
    },
    { title: 'No address', url: 'javascript:alert(1)' },
  ],
}
const article = {
  title: 'A title',
  url: 'https://news.example/a',
  source: 'The Paper',
  summary: 'What it says',
  publishedAt: '2026-11-28T10:00:00Z',
}
const page = { title: 'T', url: 'https://a.example/', text: 'C' }
const feed = `<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>
<item><title>Storm over the coast</title><link>https://f.example/1</link><description><![CDATA[<b>Wind</b> &amp; rain]]></description><pubDate>Sat, 28 Nov 2026</pubDate></item>
<item><title>Other</title><link>https://f.example/2</link></item></channel></rss>`
const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A storm</title><link rel="alternate" href="https://f.example/3"/><updated>2026-11-28</updated></entry></feed>`

const CASES: readonly Case[] = [
  {
    title: 'weather at Open-Meteo by coordinates',
    tool: 'weather',
    input: { latitude: 52.5, longitude: 13.4, units: 'imperial' },
    path: '/v1/forecast',
    answer: json({ current: { temperature_2m: 41, weather_code: 95, wind_speed_10m: 3 } }),
    settings: () => ({}),
    data: {
      location: { latitude: 52.5, longitude: 13.4 },
      temperature: 41,
      temperatureUnit: '°F',
      conditions: 'thunderstorm',
      windSpeed: 3,
      windSpeedUnit: 'mph',
    },
    asked: query,
    is: expect.objectContaining({ latitude: '52.5', longitude: '13.4', temperature_unit: 'fahrenheit' }),
  },
  {
    title: 'weather at OpenWeather',
    tool: 'weather',
    input: { latitude: 52.5, longitude: 13.4 },
    path: '/data/2.5/weather',
    answer: json({
      weather: [{ description: 'light rain' }],
      main: { temp: 4, humidity: 80 },
      wind: { speed: 10 },
      dt: 1_764_324_000,
      name: 'Berlin',
      sys: { country: 'DE' },
    }),
    settings: url => ({ openWeather: { baseUrl: url, key: 'weather-key' } }),
    data: {
      location: { name: 'Berlin', country: 'DE', latitude: 52.5, longitude: 13.4 },
      conditions: 'light rain',
      temperature: 4,
      temperatureUnit: '°C',
      humidityPercent: 80,
      windSpeed: 36,
      windSpeedUnit: 'km/h',
      observedAt: '2025-11-28T10:00:00.000Z',
    },
    asked: query,
    is: { lat: '52.5', lon: '13.4', units: 'metric', appid: 'weather-key' },
  },
  {
    title: 'currency at Frankfurter',
    tool: 'currency',
    input: { from: 'usd', to: 'EUR', amount: 3 },
    path: '/v1/latest',
    answer: json({ base: 'USD', date: '2026-11-27', rates: { EUR: 0.1 } }),
    settings: () => ({}),
    data: { from: 'USD', to: 'EUR', amount: 3, rate: 0.1, converted: 0.3, date: '2026-11-27' },
    asked: query,
    is: { base: 'USD', symbols: 'EUR' },
  },
  {
    title: 'currency at ExchangeRate-API',
    tool: 'currency',
    input: { from: 'USD', to: 'EUR' },
    path: '/v6/rate-key/latest/USD',
    answer: json({ result: 'success', conversion_rates: { EUR: 0.9 } }),
    settings: url => ({ exchangeRateApi: { baseUrl: url, key: 'rate-key' } }),
    data: { from: 'USD', to: 'EUR', amount: 1, rate: 0.9, converted: 0.9 },
    asked: query,
    is: {},
  },
  {
    title: 'news at NewsAPI',
    tool: 'news',
    input: { query: 'storm', limit: 3 },
    path: '/v2/everything',
    answer: json(news),
    settings: url => ({ newsApi: { baseUrl: url, key: 'news-key' } }),
    data: { articles: [article] },
    asked: request => [query(request), request.headers['x-api-key']],
    is: [{ q: 'storm', pageSize: '3', sortBy: 'publishedAt' }, 'news-key'],
  },
  {
    title: 'news at GNews',
    tool: 'news',
    input: { query: 'storm', language: 'en' },
    path: '/api/v4/search',
    answer: json(news),
    settings: url => ({ gnews: { baseUrl: url, key: 'gnews-key' } }),
    data: { articles: [article] },
    asked: query,
    is: { q: 'storm', lang: 'en', max: '5', apikey: 'gnews-key' },
  },
  {
    title: 'news at GDELT, whose operators a query does not reach',
    tool: 'news',
    input: { query: 'storm (domain:evil.example)', language: 'de' },
    path: '/api/v2/doc/doc',
    answer: json({
      articles: [
        { title: 'A title', url: 'https://n.example/', domain: 'n.example', seendate: '20261128T101500Z' },
      ],
    }),
    settings: () => ({}),
    data: {
      articles: [
        {
          title: 'A title',
          url: 'https://n.example/',
          source: 'n.example',
          publishedAt: '2026-11-28T10:15:00Z',
        },
      ],
    },
    asked: request => query(request).query,
    is: 'storm  domain evil.example sourcelang:german',
  },
  {
    title: 'entries of an RSS feed that have all words',
    tool: 'news',
    input: { query: 'coast STORM' },
    path: '/feed.xml',
    answer: response => void response.writeHead(200, { 'content-type': 'application/rss+xml' }).end(feed),
    settings: url => ({ rssFeeds: [`${url}/feed.xml`] }),
    data: {
      articles: [
        {
          title: 'Storm over the coast',
          url: 'https://f.example/1',
          source: '127.0.0.1',
          summary: 'Wind & rain',
          publishedAt: 'Sat, 28 Nov 2026',
        },
      ],
    },
    asked: ({ method }) => method,
    is: 'GET',
  },
  {
    title: 'entries of an Atom feed',
    tool: 'news',
    input: { query: 'storm' },
    path: '/atom.xml',
    answer: response => void response.end(atom),
    settings: url => ({ rssFeeds: [`${url}/atom.xml`, `${url}/missing.xml`] }),
    data: {
      articles: [
        { title: 'A storm', url: 'https://f.example/3', source: '127.0.0.1', publishedAt: '2026-11-28' },
      ],
    },
    asked: ({ method }) => method,
    is: 'GET',
  },
  {
    title: 'search at Tavily',
    tool: 'web_search',
    input: { query: 'parley' },
    path: '/search',
    answer: json({
      query: 'parley',
      results: [{ title: 'T', url: 'https://a.example', content: 'C', score: 1 }],
    }),
    settings: url => ({ tavily: { baseUrl: url, key: 'tavily-key' } }),
    data: { results: [page] },
    asked: ({ method, headers, body }) => [method, headers.authorization, JSON.parse(body)],
    is: ['POST', 'Bearer tavily-key', { query: 'parley', max_results: 5 }],
  },
  {
    title: 'search at Brave',
    tool: 'web_search',
    input: { query: 'parley' },
    path: '/res/v1/web/search',
    answer: json({ web: { results: [{ title: 'T', url: 'https://a.example', description: 'C' }] } }),
    settings: url => ({ brave: { baseUrl: url, key: 'brave-key' } }),
    data: { results: [page] },
    asked: request => [query(request), request.headers['x-subscription-token']],
    is: [{ q: 'parley', count: '5' }, 'brave-key'],
  },
  {
    title: 'search at a SearXNG',
    tool: 'web_search',
    input: { query: 'parley', limit: 1 },
    path: '/searx/search',
    answer: json({ results: [{ title: 'T', url: 'https://a.example', content: 'C' }, { title: 'second' }] }),
    settings: url => ({ searxng: `${url}/searx/` }),
    data: { results: [page] },
    asked: query,
    is: { q: 'parley', format: 'json' },
  },
  {
    title: 'search at Wikipedia, where nothing else is set up',
    tool: 'web_search',
    input: { query: 'parley' },
    path: '/w/api.php',
    answer: json({
      query: { search: [{ title: 'Parley P. Pratt', snippet: 'an <span>early</span> leader' }] },
    }),
    settings: () => ({}),
    data: {
      results: [
        {
          title: 'Parley P. Pratt',
          url: expect.stringMatching(/\/wiki\/Parley_P\._Pratt$/),
          text: 'an early leader',
        },
      ],
    },
    asked: request => query(request).srsearch,
    is: 'parley',
  },
  {
    title: 'places at Nominatim, under a User-Agent of our own',
    tool: 'places',
    input: { query: 'Brandenburg Gate' },
    path: '/search',
    answer: json([
      { display_name: 'Brandenburg Gate, Berlin', name: '', type: 'attraction', lat: '52.51', lon: '13.37' },
    ]),
    settings: () => ({}),
    data: {
      places: [
        {
          name: 'Brandenburg Gate',
          address: 'Brandenburg Gate, Berlin',
          kind: 'attraction',
          latitude: 52.51,
          longitude: 13.37,
        },
      ],
    },
    asked: request => [query(request), request.headers['user-agent']],
    is: [{ q: 'Brandenburg Gate', limit: '5', format: 'jsonv2' }, 'Parley/test'],
  },
  {
    title: 'places at Google',
    tool: 'places',
    input: { query: 'Brandenburg Gate' },
    path: '/v1/places:searchText',
    answer: json({
      places: [
        {
          displayName: { text: 'Brandenburg Gate' },
          formattedAddress: 'Pariser Platz',
          location: { latitude: 52.51, longitude: 13.37 },
          googleMapsUri: 'https://maps.google.com/?cid=1',
        },
      ],
    }),
    settings: url => ({ googlePlaces: { baseUrl: url, key: 'places-key' } }),
    data: {
      places: [
        {
          name: 'Brandenburg Gate',
          address: 'Pariser Platz',
          latitude: 52.51,
          longitude: 13.37,
          url: 'https://maps.google.com/?cid=1',
        },
      ],
    },
    asked: ({ headers, body }) => [headers['x-goog-api-key'], headers['x-goog-fieldmask'], JSON.parse(body)],
    is: [
      'places-key',
      expect.stringContaining('places.location'),
      { textQuery: 'Brandenburg Gate', pageSize: 5 },
    ],
  },
]

const run = (name: string, input: object, settings: Partial<ServicesSettings> = {}) =>
  newRunner().run(toolNamed({ ...servicesAt(service.url), ...settings }, name), input)

describe('every service', () => {
  it.each(CASES)('answers: $title', async ({ tool, input, path, answer, settings, data, asked, is }) => {
    service.on(path, answer)
    const result = await run(tool, input, settings(service.url))
    expect(result).toMatchObject({ ok: true, cache: 'miss', result: { tool, untrusted: true } })
    expect(JSON.parse(JSON.stringify(result.ok && result.result.data))).toEqual(data)
    const request = service.of(path).at(-1)
    expect(request && asked(request)).toEqual(is)
  })

  it('without a key is named with its attribution', async () => {
    for (const { services } of builtInTools(servicesAt(service.url)))
      for (const { name, missing, attribution } of services)
        if (missing === undefined) expect(attribution, name).toBeTruthy()
  })

  it('finds a place by its name before its weather', async () => {
    openMeteoOn(service)
    const result = await run('weather', { location: 'Berlin, Germany' })
    expect(service.of('/v1/search').at(-1)?.url.searchParams.get('name')).toBe('Berlin')
    expect(service.of('/v1/forecast').at(-1)?.url.searchParams.get('latitude')).toBe('52.52')
    expect(result).toMatchObject({
      result: { service: 'open-meteo', data: { location: { name: 'Berlin' }, temperature: 3.4 } },
    })
  })

  it('blames the arguments for a place that does not exist', async () => {
    service
      .on('/v1/search', json({ generationtime_ms: 1 }))
      .on('/v1/latest', json({ message: 'not found' }, 404))
    expect(await run('weather', { location: 'Nowhere' })).toMatchObject({ ok: false, reason: 'arguments' })
  })

  it('asks the next service for a currency that one of reference rates does not have', async () => {
    service
      .on('/v1/latest', json({ message: 'not found' }, 404))
      .on('/v6/latest/USD', json({ result: 'success', rates: { USD: 1, AED: 3.67 } }))
      .on('/v6/latest/ZZZ', json({ result: 'error', 'error-type': 'unsupported-code' }))
    expect(await run('currency', { from: 'USD', to: 'AED' })).toMatchObject({
      ok: true,
      result: { service: 'open-er-api', data: { rate: 3.67 } },
    })
    for (const to of ['XXX', 'ZZZ'])
      expect(await run('currency', { from: to === 'ZZZ' ? 'ZZZ' : 'USD', to })).toMatchObject({
        ok: false,
        reason: 'arguments',
      })
  })

  it('takes null for an argument that is absent, and a query of signs alone for no query', async () => {
    openMeteoOn(service)
    expect(await run('weather', { location: 'Berlin', units: null, latitude: null })).toMatchObject({
      ok: true,
      result: { data: { temperatureUnit: '°C' } },
    })
    expect(await run('weather', { location: null })).toMatchObject({ ok: false, reason: 'arguments' })
    expect(await run('news', { query: '"()"' })).toMatchObject({ ok: false, reason: 'arguments' })
  })

  it('refuses arguments outside its schema without a request', async () => {
    const before = service.received.length
    for (const [tool, input] of [
      ['weather', {}],
      ['weather', { location: 'a', latitude: 1, longitude: 1 }],
      ['weather', { latitude: 91, longitude: 1 }],
      ['weather', { location: 'a', appid: 'x' }],
      ['currency', { from: 'EURO', to: 'USD' }],
      ['news', { query: ' \n ' }],
      ['web_search', { query: 'x', limit: 1_000 }],
      ['places', 'a text'],
      ['places', null],
    ] as const)
      expect(await run(tool, input as object)).toMatchObject({
        ok: false,
        reason: 'arguments',
        details: [{ path: expect.any(String) }],
      })
    expect(service.received.length).toBe(before)
  })
})
