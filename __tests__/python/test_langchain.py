"""LangChain's clients of OpenAI, through the gateway and to the upstream itself."""

import unittest

import openai
from addresses import GATEWAY, PIXEL, PLACEHOLDER, UPSTREAM
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"7 °C in {city}"


def chat(model, base_url=f"{GATEWAY}/v1", **options):
    return ChatOpenAI(
        model=model, base_url=base_url, api_key=PLACEHOLDER, **{"max_retries": 0, **options}
    )


def whole(chunks):
    total = None
    for chunk in chunks:
        total = chunk if total is None else total + chunk
    return total


class LangChainTest(unittest.TestCase):
    def test_invoke(self):
        ours, theirs = chat("gpt-text").invoke("Hi"), chat("gpt-text", UPSTREAM).invoke("Hi")
        self.assertEqual(ours.content, "Hello there")
        self.assertEqual(ours.content, theirs.content)
        self.assertEqual(ours.usage_metadata, theirs.usage_metadata)

    def test_stream(self):
        ours = whole(chat("gpt-text", stream_usage=True).stream("Hi"))
        theirs = whole(chat("gpt-text", UPSTREAM, stream_usage=True).stream("Hi"))
        self.assertEqual(ours.content, "Hello there")
        self.assertEqual(ours.usage_metadata["total_tokens"], 12)
        self.assertEqual(ours.usage_metadata, theirs.usage_metadata)

    def test_tools(self):
        bound = chat("gpt-tools").bind_tools([weather])
        for message in (bound.invoke("Hi"), whole(bound.stream("Hi"))):
            self.assertEqual(
                [call["args"] for call in message.tool_calls], [{"city": "Köln"}, {"city": "Bonn"}]
            )
        first = bound.invoke("Hi")
        results = [ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]) for call in first.tool_calls]
        last = chat("gpt-text").invoke([HumanMessage("Hi"), first, *results])
        self.assertEqual(last.content, "Hello there")

    def test_structured_output(self):
        class Place(BaseModel):
            city: str

        model = chat("gpt-place").with_structured_output(Place)
        self.assertEqual(model.invoke("Hi"), Place(city="Köln"))

    def test_image(self):
        url = f"data:image/png;base64,{PIXEL}"
        message = HumanMessage([{"type": "image_url", "image_url": {"url": url}}])
        self.assertEqual(chat("gpt-sees").invoke([message]).content, "an image")

    def test_embeddings(self):
        embeddings = OpenAIEmbeddings(
            model="text-embedding-3-small",
            base_url=f"{GATEWAY}/v1",
            api_key=PLACEHOLDER,
            # With it the client counts tokens by a table that it downloads.
            check_embedding_ctx_length=False,
        )
        self.assertEqual(embeddings.embed_documents(["one", "two"])[0], [0.25, -0.5])

    def test_errors(self):
        with self.assertRaises(openai.NotFoundError):
            chat("no-such-model").invoke("Hi")
        with self.assertRaises(openai.BadRequestError):
            chat("gpt-refused").invoke("Hi")

    def test_failure_is_retried(self):
        self.assertEqual(chat("gpt-flaky-too", max_retries=2).invoke("Hi").content, "Back")

    def test_stream_that_breaks_off_raises(self):
        with self.assertRaises(openai.APIError):
            whole(chat("gpt-broken").stream("Hi"))


if __name__ == "__main__":
    unittest.main()
