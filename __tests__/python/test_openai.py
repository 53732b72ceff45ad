"""The official client of OpenAI: what it gets through the gateway and from the upstream itself."""

import asyncio
import unittest

import openai
from addresses import GATEWAY, PIXEL, PLACEHOLDER, UPSTREAM, WEATHER_PARAMETERS
from pydantic import BaseModel

HI = [{"role": "user", "content": "Hi"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": WEATHER_PARAMETERS},
}


def client_of(base_url, **options):
    return openai.OpenAI(
        base_url=base_url, api_key=PLACEHOLDER, **{"max_retries": 0, **options}
    )


through = client_of(f"{GATEWAY}/v1")
direct = client_of(UPSTREAM)


class OpenAiTest(unittest.TestCase):
    def same(self, ask):
        """Asks both, and returns what both got."""
        ours, theirs = ask(through), ask(direct)
        self.assertEqual(ours, theirs)
        return ours

    def test_chat(self):
        answer = self.same(
            lambda client: client.chat.completions.create(model="gpt-text", messages=HI).model_dump()
        )
        self.assertEqual(answer["choices"][0]["message"]["content"], "Hello there")
        self.assertEqual(answer["usage"]["total_tokens"], 12)

    def test_stream(self):
        def chunks(client):
            stream = client.chat.completions.create(
                model="gpt-text",
                messages=HI,
                stream=True,
                stream_options={"include_usage": True},
            )
            return [chunk.model_dump() for chunk in stream]

        self.assertEqual(self.same(chunks)[-1]["choices"], [])

    def test_stream_without_usage(self):
        stream = through.chat.completions.create(model="gpt-text", messages=HI, stream=True)
        self.assertTrue(all(len(chunk.choices) == 1 for chunk in stream))

    def test_async_stream(self):
        async def text():
            async with openai.AsyncOpenAI(
                base_url=f"{GATEWAY}/v1", api_key=PLACEHOLDER, max_retries=0
            ) as client:
                stream = await client.chat.completions.create(
                    model="gpt-text", messages=HI, stream=True
                )
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        self.assertEqual(asyncio.run(text()), "Hello there")

    def test_tools(self):
        answer = self.same(
            lambda client: client.chat.completions.create(
                model="gpt-tools", messages=HI, tools=[WEATHER]
            ).model_dump()
        )
        calls = answer["choices"][0]["message"]["tool_calls"]
        self.assertEqual([call["id"] for call in calls], ["call_0", "call_1"])

    def test_tools_streamed(self):
        def final(client):
            with client.chat.completions.stream(
                model="gpt-tools",
                messages=HI,
                tools=[WEATHER],
                stream_options={"include_usage": True},
            ) as stream:
                return stream.get_final_completion().model_dump()

        calls = self.same(final)["choices"][0]["message"]["tool_calls"]
        self.assertEqual([call["function"]["name"] for call in calls], ["weather", "weather"])

    def test_parse(self):
        class Place(BaseModel):
            city: str

        parsed = through.chat.completions.parse(
            model="gpt-place", messages=HI, response_format=Place
        )
        self.assertEqual(parsed.choices[0].message.parsed, Place(city="Köln"))

    def test_reasoning(self):
        answer = through.chat.completions.create(model="gpt-reasoning", messages=HI)
        self.assertEqual(answer.choices[0].message.reasoning_content, "Hm.")

    def test_image(self):
        content = [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        ]
        answer = through.chat.completions.create(
            model="gpt-sees", messages=[{"role": "user", "content": content}]
        )
        self.assertEqual(answer.choices[0].message.content, "an image")

    def test_embeddings(self):
        answer = self.same(
            lambda client: client.embeddings.create(
                model="text-embedding-3-small", input=["one", "two"]
            ).model_dump()
        )
        self.assertEqual(answer["data"][0]["embedding"], [0.25, -0.5])

    def test_responses(self):
        answer = through.responses.create(model="openai-compatible/gpt-text", input="Hi")
        self.assertEqual(answer.output_text, "Hello there")

    def test_models(self):
        ids = [model.id for model in through.models.list()]
        self.assertIn("gpt-4o", ids)
        self.assertEqual(through.models.retrieve("gpt-4o").id, "gpt-4o")

    def test_errors(self):
        with self.assertRaises(openai.NotFoundError) as unknown:
            through.chat.completions.create(model="no-such-model", messages=HI)
        self.assertEqual(unknown.exception.code, "model_not_found")
        for client in (through, direct):
            with self.assertRaises(openai.BadRequestError) as refused:
                client.chat.completions.create(model="gpt-refused", messages=HI)
            self.assertEqual(refused.exception.code, "bad_thing")
            self.assertEqual(refused.exception.param, "messages")

    def test_stream_that_breaks_off_raises(self):
        stream = through.chat.completions.create(model="gpt-broken", messages=HI, stream=True)
        with self.assertRaises(openai.APIError):
            list(stream)

    def test_failure_is_retried(self):
        patient = client_of(f"{GATEWAY}/v1", max_retries=2)
        answer = patient.chat.completions.create(model="gpt-flaky", messages=HI)
        self.assertEqual(answer.choices[0].message.content, "Back")


if __name__ == "__main__":
    unittest.main()
