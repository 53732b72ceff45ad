/** How one client is pointed at this gateway. */
export type Snippet = { name: string; note: string; code: string }

/** `origin` is the gateway's address without a path. */
export function snippetsFor(origin: string): Snippet[] {
  const v1 = `${origin}/v1`
  return [
    {
      name: 'curl',
      note: 'The stream arrives as it is written.',
      code: `curl --no-buffer ${origin}/api/chat \\
  -H 'content-type: application/json' \\
  -d '{"prompt": "Why is the sky blue?", "stream": true}'`,
    },
    {
      name: 'Python',
      note: 'pip install openai',
      code: `from openai import OpenAI

client = OpenAI(base_url="${v1}", api_key="any")
answer = client.chat.completions.create(
    model="mock",
    messages=[{"role": "user", "content": "Why is the sky blue?"}],
)
print(answer.choices[0].message.content)`,
    },
    {
      name: 'Node',
      note: 'npm install openai',
      code: `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${v1}', apiKey: 'any' })
const answer = await client.chat.completions.create({
  model: 'mock',
  messages: [{ role: 'user', content: 'Why is the sky blue?' }],
})
console.log(answer.choices[0].message.content)`,
    },
    {
      name: 'AI SDK',
      note: 'npm install ai @ai-sdk/openai-compatible',
      code: `import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { streamText } from 'ai'

const parley = createOpenAICompatible({ name: 'parley', baseURL: '${v1}' })
const { textStream } = streamText({
  model: parley('mock'),
  prompt: 'Why is the sky blue?',
})
for await (const text of textStream) process.stdout.write(text)`,
    },
    {
      name: 'LangChain',
      note: 'npm install @langchain/openai',
      code: `import { ChatOpenAI } from '@langchain/openai'

const model = new ChatOpenAI({
  model: 'mock',
  apiKey: 'any',
  configuration: { baseURL: '${v1}' },
})
console.log((await model.invoke('Why is the sky blue?')).content)`,
    },
    ...agentSnippets(origin),
  ]
}

function agentSnippets(origin: string): Snippet[] {
  const v1 = `${origin}/v1`
  return [
    {
      name: 'Claude Code',
      note: 'Its base URL ends before /v1.',
      code: `ANTHROPIC_BASE_URL=${origin} \\
ANTHROPIC_AUTH_TOKEN=any \\
claude --model mock`,
    },
    {
      name: 'Codex',
      note: 'In ~/.codex/config.toml',
      code: `model = "mock"
model_provider = "parley"

[model_providers.parley]
name = "Parley"
base_url = "${v1}"
wire_api = "responses"`,
    },
    {
      name: 'Open WebUI',
      note: 'Or in its settings: Admin, Connections, OpenAI API.',
      code: `docker run -p 8080:8080 \\
  -e OPENAI_API_BASE_URL=${v1} \\
  -e OPENAI_API_KEY=any \\
  ghcr.io/open-webui/open-webui:main`,
    },
  ]
}
