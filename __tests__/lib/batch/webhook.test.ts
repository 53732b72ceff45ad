import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Job, WebhookDue } from '#lib/batch/types.ts'
import { WebhookSender, type WebhookSenderDeps } from '#lib/batch/webhook-sender.ts'
import { isPublicAddress } from '#lib/public-address.ts'
import { webhookPost } from '#lib/webhook/post.ts'
import { FakeClock } from '../../support/fake-clock.ts'

let connections = 0
let location: string | undefined
const heard: { headers: IncomingMessage['headers']; body: string }[] = []
const server = createServer(async (incoming, answer) => {
  let body = ''
  for await (const chunk of incoming) body += chunk
  heard.push({ headers: incoming.headers, body })
  answer.writeHead(location ? 302 : 204, location ? { location } : {}).end()
})
server.on('connection', () => {
  connections += 1
})
let port = 0
beforeAll(async () => {
  server.listen(0, '::')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => server.close())

describe('posting to an address that a caller gave', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '[fd00::1]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '169.254.169.254.',
    'user:password@127.0.0.1',
    'localhost',
    'LOCALHOST.',
    'ip6-localhost',
  ])('never connects to %s, and says no more than that', async host => {
    const before = connections
    const outcome = await webhookPost(isPublicAddress)(`http://${host}:${port}/`, '{}', {}).catch(
      error => error,
    )
    expect(outcome).toBeInstanceOf(Error)
    expect(connections).toBe(before)
    expect(String(outcome.message)).toBe('the webhook’s address is not one of the open internet')
  })

  it.each(['8.8.8.8', '2606:4700:4700::1111', '[2606:4700:4700::1111]', '::ffff:8.8.8.8'])(
    'would connect to %s',
    address => expect(isPublicAddress(address)).toBe(true),
  )

  it('connects to the very address that it has looked at, and looks again for each connection (number 16)', async () => {
    const looked: string[] = []
    const reached = new Set<string>()
    const note = (socket: Socket) => reached.add(socket.localAddress?.replace(/^::ffff:/, '') ?? '')
    server.on('connection', note)
    const once = (address: string) => looked.push(address) > 0
    await webhookPost(once)(`http://localhost:${port}/`, '{}', {})
    server.off('connection', note)
    expect(looked.length).toBeGreaterThan(0)
    expect(looked).toEqual(expect.arrayContaining([...reached]))

    let isOpen = true
    const post = webhookPost(() => isOpen)
    await post(`http://localhost:${port}/`, '{}', {})
    server.closeIdleConnections()
    isOpen = false
    const before = connections
    await expect(post(`http://localhost:${port}/`, '{}', {})).rejects.toThrow('open internet')
    expect(connections).toBe(before)
  })

  it('does not go where an answer sends it', async () => {
    location = `http://127.0.0.1:${port}/secret`
    const before = heard.length
    expect(await webhookPost(() => true)(`http://127.0.0.1:${port}/`, '{}', {})).toBe(302)
    expect(heard).toHaveLength(before + 1)
    location = undefined
  })

  it('sends what it is given', async () => {
    await webhookPost(() => true)(`http://localhost:${port}/`, '{"a":"ü"}', { 'x-parley-event': 'e' })
    expect(heard.at(-1)).toMatchObject({
      body: '{"a":"ü"}',
      headers: { 'x-parley-event': 'e', 'content-type': 'application/json' },
    })
  })
})

type Letter = { due: WebhookDue; dueAt: number; outcome?: unknown }

describe('the sender of webhooks', () => {
  /** Jobs of these owners have ended, in this order. */
  const setting = (post: WebhookSenderDeps['post'], owners: readonly string[] = ['ada']) => {
    const clock = new FakeClock()
    const letters: Letter[] = owners.map((owner, index) => ({
      due: { job: { id: `batch_${index}`, owner } as Job, url: `https://${owner}.example`, attempt: 0 },
      dueAt: 0,
    }))
    const state = { isStopping: false, isFailing: false }
    const trouble: unknown[] = []
    const postman = new WebhookSender({
      records: {
        claimWebhook: async ({ now, leaseUntil, except = [] }) => {
          if (state.isFailing) throw new Error('no records')
          const letter = letters.find(
            ({ due, dueAt, outcome }) => !outcome && dueAt <= now && !except.includes(due.job.owner),
          )
          if (!letter) return undefined
          letter.dueAt = leaseUntil
          letter.due = { ...letter.due, attempt: letter.due.attempt + 1 }
          return letter.due
        },
        settleWebhook: async ({ job: { id } }, outcome) => {
          if (state.isFailing) throw new Error('no records')
          const letter = letters.find(({ due }) => due.job.id === id) as Letter
          if ('again' in outcome) letter.dueAt = outcome.again
          else letter.outcome = outcome
        },
      },
      post,
      messageOf: ({ id }) => ({ id }),
      secret: 'a secret of sixteen',
      clock,
      isStopping: () => state.isStopping,
      onError: error => trouble.push(error),
    })
    return { clock, postman, letters, state, trouble }
  }

  /** What is posted, and stays under way until it is ended. */
  const held = (owners: readonly string[]) => {
    const posts: { url: string; end: (status?: number) => void }[] = []
    const made = setting(url => {
      const { promise, resolve } = Promise.withResolvers<number>()
      posts.push({ url, end: (status = 200) => resolve(status) })
      return promise
    }, owners)
    const of = (owner: string) => posts.filter(({ url }) => url === `https://${owner}.example`)
    return { ...made, posts, of }
  }

  it('signs what it tells, so that its receiver knows who it is from and when', async () => {
    const sent: Parameters<WebhookSenderDeps['post']>[] = []
    const { postman, letters, clock } = setting(async (...post) => {
      sent.push(post)
      return 200
    })
    await postman.deliverDue()
    await clock.advance(0)
    expect(letters[0]?.outcome).toEqual({ state: 'sent' })
    const [url, message, headers] = sent[0] ?? []
    expect([url, message]).toEqual(['https://ada.example', '{"id":"batch_0"}'])
    const seconds = Math.floor(clock.now() / 1000)
    const mac = createHmac('sha256', 'a secret of sixteen').update(`${seconds}.${message}`).digest('hex')
    expect(headers?.['x-parley-signature']).toBe(`t=${seconds},v1=${mac}`)
  })

  it('tries again after growing pauses, and stops after the sixth time', async () => {
    const at: number[] = []
    const { clock, letters } = setting(async () => {
      at.push(clock.now())
      if (at.length % 2) throw new Error('nobody there')
      return 500
    })
    await clock.advance(20_000_000)
    expect(at).toHaveLength(6)
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0))
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(10_000 * 4 ** index)
      expect(pause).toBeLessThan(10_000 * 4 ** index + 10_000)
    }
    expect(letters[0]?.outcome).toEqual({ state: 'failed' })
  })

  it('goes to many at once, but to few of one owner’s', async () => {
    const many = Array.from({ length: 30 }, (_, index) => `guest-${index}`)
    const { postman, posts, of } = held([...Array.from({ length: 9 }, () => 'ada'), ...many])
    await postman.deliverDue()
    expect([of('ada').length, posts.length]).toEqual([4, 16])
  })

  it('is not held up by the slow receivers of another owner', async () => {
    const { clock, postman, of } = held([...Array.from({ length: 1_000 }, () => 'slow'), 'eve'])
    await postman.deliverDue()
    expect([of('slow').length, of('eve').length]).toEqual([4, 1])
    of('eve')[0]?.end()
    of('slow')[0]?.end(500)
    await clock.advance(0)
    expect(of('slow').length).toBe(5)
  })

  it('begins nothing more once the gateway stops', async () => {
    const { clock, postman, posts, state } = held(Array.from({ length: 9 }, () => 'ada'))
    await postman.deliverDue()
    state.isStopping = true
    for (const { end } of posts) end()
    await clock.advance(60_000)
    expect(posts).toHaveLength(4)
  })

  it('goes on where the records have failed, and tells so', async () => {
    const { clock, letters, state, trouble, postman } = setting(async () => {
      state.isFailing = true
      return 200
    })
    await postman.deliverDue()
    await clock.advance(5_000)
    expect(trouble.length).toBeGreaterThan(1)
    expect(letters[0]?.outcome).toBeUndefined()
    await clock.advance(20_000)
    state.isFailing = false
    await clock.advance(5_000)
    expect(letters[0]?.due.attempt).toBe(2)
  })
})
