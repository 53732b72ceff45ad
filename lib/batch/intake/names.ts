const LONGEST = 120
const UNNAMED = 'file'

/** What is left of a file's name when it can do no harm: no path, no control characters, no ends of dots and spaces. */
export const cleanName = (sent: string): string => {
  const last = sent.normalize('NFC').split(/[/\\]/).at(-1) ?? ''
  const visible = last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>:"|?*]/gu, '').trim()
  const extension = /\.[\w]{1,8}$/.exec(visible)?.[0] ?? ''
  const stem = visible.slice(0, visible.length - extension.length).replace(/^[.\s]+|[.\s]+$/g, '')
  return `${[...stem].slice(0, LONGEST).join('') || UNNAMED}${extension}`
}

/** The name, or where it is taken one with a number. */
export const uniqueName = (name: string, taken: ReadonlySet<string>): string => {
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${stem} (${number})${extension}`
    if (!taken.has(candidate)) return candidate
  }
}
