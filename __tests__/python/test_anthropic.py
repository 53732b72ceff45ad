"""The official client of Anthropic: what it gets through the gateway and from the upstream itself."""

import unittest

import anthropic
from addresses import GATEWAY, PIXEL, PLACEHOLDER, UPSTREAM, WEATHER_PARAMETERS
from pydantic import BaseModel

HI = [{"role": "user", "content": "Hi"}]
WEATHER = {"name": "weather", "input_schema": WEATHER_PARAMETERS}


def client_of(base_url, **options):
    return anthropic.Anthropic(
        base_url=base_url, api_key=PLACEHOLDER, **{"max_retries": 0, **options}
    )


through = client_of(GATEWAY)
direct = client_of(UPSTREAM.removesuffix("/v1"))


class AnthropicTest(unittest.TestCase):
    def same(self, ask):
        """Asks both, and returns what both got."""
        ours, theirs = ask(through), ask(direct)
        self.assertEqual(ours, theirs)
        return ours

    def ask(self, model, **fields):
        return lambda client: client.messages.create(
            model=model, **{"max_tokens": 100, "messages": HI, **fields}
        ).model_dump()

    def test_messages(self):
        answer = self.same(self.ask("claude-text"))
        self.assertEqual(answer["content"][0]["text"], "Hello there")

    def test_messages_of_another_vendor(self):
        answer = self.ask("gpt-text")(through)
        self.assertEqual(answer["content"][0]["text"], "Hello there")

    def test_stream(self):
        def final(client):
            with client.messages.stream(model="claude-text", max_tokens=100, messages=HI) as stream:
                text = "".join(stream.text_stream)
                return text, stream.get_final_message().model_dump()

        self.assertEqual(self.same(final)[0], "Hello there")

    def test_tools(self):
        answer = self.same(self.ask("claude-tools", tools=[WEATHER]))
        self.assertEqual(answer["stop_reason"], "tool_use")

    def test_tools_streamed_of_another_vendor(self):
        with through.messages.stream(
            model="gpt-tools", max_tokens=100, messages=HI, tools=[WEATHER]
        ) as stream:
            blocks = stream.get_final_message().content
        self.assertEqual([block.input for block in blocks], [{"city": "Köln"}, {"city": "Bonn"}])

    def test_thinking(self):
        thinking = {"type": "enabled", "budget_tokens": 1_024}
        answer = self.same(self.ask("claude-thinks", max_tokens=2_000, thinking=thinking))
        self.assertEqual(answer["content"][0]["thinking"], "Hm.")

    def test_image(self):
        source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        content = [{"type": "image", "source": source}]
        for model in ("claude-sees", "gpt-sees"):
            answer = self.ask(model, messages=[{"role": "user", "content": content}])(through)
            self.assertEqual(answer["content"][0]["text"], "an image")

    def test_parse(self):
        class Place(BaseModel):
            city: str

        for model in ("claude-place", "gpt-place"):
            parsed = through.messages.parse(
                model=model, max_tokens=100, messages=HI, output_format=Place
            )
            self.assertEqual(parsed.parsed_output, Place(city="Köln"))

    def test_count_tokens(self):
        counted = through.messages.count_tokens(model="gpt-text", messages=HI)
        self.assertGreater(counted.input_tokens, 0)

    def test_models(self):
        self.assertIn("claude-sonnet-4-5", [model.id for model in through.models.list(limit=5)])

    def test_errors(self):
        with self.assertRaises(anthropic.NotFoundError):
            self.ask("no-such-model")(through)
        for client in (through, direct):
            with self.assertRaises(anthropic.BadRequestError) as refused:
                self.ask("claude-refused")(client)
            self.assertEqual(refused.exception.body["error"]["message"], "messages: no such thing")

    def test_failure_is_retried(self):
        answer = self.ask("claude-flaky")(client_of(GATEWAY, max_retries=2))
        self.assertEqual(answer["content"][0]["text"], "Back")

    def test_stream_that_breaks_off_raises(self):
        with self.assertRaises(anthropic.APIError):
            with through.messages.stream(
                model="claude-broken", max_tokens=100, messages=HI
            ) as stream:
                stream.get_final_message()


if __name__ == "__main__":
    unittest.main()
