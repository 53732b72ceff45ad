import type { Extension as MdastExtension } from 'mdast-util-from-markdown'
import type { Code, Construct, Extension, State, Token, TokenizeContext } from 'micromark-util-types'

declare module 'micromark-util-types' {
  interface TokenTypeMap {
    texBlock: 'texBlock'
    texSpan: 'texSpan'
    texLine: 'texLine'
  }
}

const BACKSLASH = 92
const CLOSING: Readonly<Record<number, number>> = { 40: 41, 91: 93 }

const isLineEnding = (code: Code): boolean => code !== null && code < -2
const isSpace = (code: Code): boolean => code === -2 || code === -1 || code === 32

/** Reads from an opening delimiter to its closing one, over line endings but not over a blank line. */
function texReader(name: 'texBlock' | 'texSpan'): Construct['tokenize'] {
  return function tokenize(this: TokenizeContext, effects, ok, nok) {
    const { parser, now } = this
    let closing: number | undefined

    const start: State = code => {
      effects.enter(name)
      effects.enter('texLine')
      effects.consume(code)
      return opening
    }
    const opening: State = code => {
      closing = name === 'texBlock' && code !== 91 ? undefined : CLOSING[code ?? 0]
      if (closing === undefined) return nok(code)
      effects.consume(code)
      return inside
    }
    const inside: State = code => {
      if (code === null) return nok(code)
      if (isLineEnding(code)) {
        effects.exit('texLine')
        effects.enter('lineEnding')
        effects.consume(code)
        effects.exit('lineEnding')
        return lineStart
      }
      effects.consume(code)
      return code === BACKSLASH ? afterBackslash : inside
    }
    const lineStart: State = code => {
      const isLazy = name === 'texBlock' && parser.lazy[now().line]
      if (code === null || isLineEnding(code) || isLazy) return nok(code)
      effects.enter('texLine')
      return indentation(code)
    }
    const indentation: State = code => {
      if (code === null || isLineEnding(code)) return nok(code)
      if (!isSpace(code)) return inside(code)
      effects.consume(code)
      return indentation
    }
    const afterBackslash: State = code => {
      if (code === null || isLineEnding(code)) return inside(code)
      effects.consume(code)
      return code === closing ? end : inside
    }
    const end: State = code => {
      if (name === 'texBlock' && isSpace(code)) {
        effects.consume(code)
        return end
      }
      if (name === 'texBlock' && code !== null && !isLineEnding(code)) return nok(code)
      effects.exit('texLine')
      effects.exit(name)
      return ok(code)
    }
    return start
  }
}

/** Micromark syntax: `\(…\)` and `\[…\]` are text as written, not escaped brackets around more Markdown. */
export const texSyntax: Extension = {
  flow: { [BACKSLASH]: { name: 'texBlock', tokenize: texReader('texBlock'), concrete: true } },
  text: { [BACKSLASH]: { name: 'texSpan', tokenize: texReader('texSpan') } },
}

/** The mdast nodes of `texSyntax`: plain text, and a paragraph around it where it is a block of its own. */
export const texFromMarkdown: MdastExtension = {
  enter: {
    texBlock(token: Token) {
      this.enter({ type: 'paragraph', children: [] }, token)
      this.enter({ type: 'text', value: this.sliceSerialize(token).trimEnd() }, token)
    },
    texSpan(token: Token) {
      this.enter({ type: 'text', value: this.sliceSerialize(token) }, token)
    },
  },
  exit: {
    texBlock(token: Token) {
      this.exit(token)
      this.exit(token)
    },
    texSpan(token: Token) {
      this.exit(token)
    },
  },
}
