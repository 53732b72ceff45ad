/** The request to every target. */
export const messages = [
  {
    role: 'system',
    content:
      'You are a patient teacher of computer networks. Answer in plain words, without lists, and stay under ' +
      'two hundred words. Say so when you are not sure, and never invent a number.',
  },
  {
    role: 'user',
    content:
      'My program sends many small messages over one connection and some of them arrive late. Somebody told ' +
      'me that the kernel waits before it sends small packets. Is that true, and when does it help anybody?',
  },
]

const sentence =
  'When a program writes a few bytes at a time the kernel may hold them back for a moment and send them ' +
  'together, because each packet costs the same however little it carries; turning this off with one socket ' +
  'option makes small messages prompt, and leaves larger transfers as before'

/** The fifty pieces of a streamed answer; most are one token of a real model. */
export const pieces: readonly string[] = sentence.split(' ').map((word, at) => (at === 0 ? word : ` ${word}`))

if (pieces.length !== 50) throw new Error(`The streamed answer has ${pieces.length} pieces, it must have 50`)

/** The answer where no stream was asked for: about 240 tokens. */
export const longAnswer = Array.from({ length: 4 }, () => `${sentence}.`).join('\n\n')

/** Found in every complete answer, streamed or not: its last piece. */
export const lastPiece = 'before'
