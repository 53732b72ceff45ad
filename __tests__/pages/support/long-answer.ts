/** What an ordinary long answer holds; about 8 kB. */
export const LONG_ANSWER = Array.from(
  { length: 7 },
  (_, part) => `## Part ${part + 1}

A paragraph with **bold** words, \`code\`, a [link](https://example.com/${part}) and *more* of the like, which goes on for a while so that it fills several lines of the page before it ends.

${Array.from({ length: 10 }, (_, item) => `${item + 1}. **Item ${item + 1}** of the list, with \`code\` and some words about it.`).join('\n')}

| name | meaning |
|---|---|
| \`first\` | the **first** of them |
| \`second\` | the second of them |

\`\`\`ts
export function part${part}(values: number[]): number {

  return values.reduce((sum, value) => sum + value, 0)
}
\`\`\`

A closing paragraph, with nothing in it but words: they come one after the other until the paragraph has had enough of them.
`,
).join('\n')
