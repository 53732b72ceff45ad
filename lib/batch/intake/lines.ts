/** One line, without its end, and its number from 1; nothing of its text where it is too long. */
export type Line = Readonly<{ number: number; text: string | undefined }>

/** Splits text into lines that end in LF or CRLF, the last one also without. */
export async function* linesOf(portions: AsyncIterable<string>, longest: number): AsyncGenerator<Line> {
  let number = 1
  let rest = ''
  let isTooLong = false
  const line = (text: string): Line => {
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text
    const found = { number, text: isTooLong || whole.length > longest ? undefined : whole }
    number += 1
    isTooLong = false
    return found
  }
  for await (const portion of portions) {
    let start = 0
    for (let end = portion.indexOf('\n'); end !== -1; end = portion.indexOf('\n', start)) {
      yield line(rest + portion.slice(start, end))
      rest = ''
      start = end + 1
    }
    rest += portion.slice(start)
    if (rest.length <= longest + 1) continue
    isTooLong = true
    rest = ''
  }
  if (rest !== '' || isTooLong) yield line(rest)
}
