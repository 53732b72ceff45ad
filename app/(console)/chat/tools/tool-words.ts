/** The name of a tool as a person would say it: `web_search` is “Web search”. */
export function toolAsWords(name: string): string {
  const words = name.replaceAll(/[_-]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
