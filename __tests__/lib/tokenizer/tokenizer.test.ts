import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { Tokenizer } from '#lib/tokenizer/tokenizer.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('the tokenizer', () => {
  it('counts as o200k_base does, over several texts, and special tokens as text', async () => {
    const tokenizer = new Tokenizer(new FakeClock())
    expect(await tokenizer.count([])).toBe(0)
    expect(await tokenizer.count(['hello world'])).toBe(2)
    expect(await tokenizer.count(['hello world', '', 'hello world'])).toBe(4)
    expect(await tokenizer.count(['<|endoftext|>'])).toBeGreaterThan(1)
  })

  it('counts a long text in pieces, within a thousandth of the whole', async () => {
    const tokenizer = new Tokenizer(new FakeClock())
    const text = 'The quick brown fox jumps over 13 lazy dogs; それから寝ます。 '.repeat(10_000)
    const expected = countTokens(text)
    expect(Math.abs((await tokenizer.count([text])) - expected)).toBeLessThan(expected / 1_000)
  })

  it('counts a megabyte without a break, which byte pairs would merge for minutes', {
    timeout: 20_000,
  }, async () => {
    const tokenizer = new Tokenizer(new FakeClock())
    for (const run of ['a', ' ', '漢', '='])
      expect(await tokenizer.count([run.repeat(1_000_000)])).toBeGreaterThan(1_000)
  })

  it('stops at a piece of 16,384 characters once its call is aborted, with the reason', async () => {
    const tokenizer = new Tokenizer(new FakeClock())
    const leaving = new AbortController()
    const reason = new Error('The client has left.')
    let read = 0
    const texts = function* () {
      for (; read < 1_000; read += 1) {
        if (read === 3) leaving.abort(reason)
        yield 'a word '.repeat(2_000)
      }
    }
    await expect(tokenizer.count(texts(), leaving.signal)).rejects.toBe(reason)
    expect(read).toBeLessThan(5)
  })

  it('ends its thread after a minute without a text, and starts another for the next', async () => {
    const clock = new FakeClock()
    const tokenizer = new Tokenizer(clock)
    await tokenizer.count(['hello'])
    expect([tokenizer.isRunning, clock.pending]).toEqual([true, 1])
    await clock.advance(59_000)
    await tokenizer.count(['hello'])
    await clock.advance(59_000)
    expect(tokenizer.isRunning).toBe(true)
    await clock.advance(1_000)
    expect([tokenizer.isRunning, clock.pending]).toEqual([false, 0])
    expect(await tokenizer.count(['hello world'])).toBe(2)
  })

  it('serves several at once, each its own count', async () => {
    const tokenizer = new Tokenizer(new FakeClock())
    const counts = await Promise.all(
      [1, 2, 3].map(times => tokenizer.count(['hello world '.repeat(times).trim()])),
    )
    expect(counts).toEqual([2, 4, 6])
  })
})
