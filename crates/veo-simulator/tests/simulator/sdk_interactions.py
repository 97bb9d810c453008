"""Makes videos with Google's official client over the Interactions API: create, poll, download, cancel.

Arguments: the base URL of the provider, and the file that the video goes into.
"""

import base64
import sys
import time

from google import genai
from google.genai import types

base_url, out = sys.argv[1:]
client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=base_url))
model = "gemini-omni-1.1-flash"


def create(prompt, **format):
    return client.interactions.create(
        model=model,
        input=prompt,
        response_format={"type": "video", "duration": "6s", "aspect_ratio": "9:16", **format},
        background=True,
    )


def finished(interaction):
    deadline = time.monotonic() + 120
    while interaction.status in ("queued", "in_progress"):
        assert time.monotonic() < deadline, "the interaction does not end"
        time.sleep(0.1)
        interaction = client.interactions.get(id=interaction.id)
    return interaction


def video_of(interaction):
    assert interaction.status == "completed", interaction
    steps = [step for step in interaction.steps if step.type == "model_output"]
    return next(part for step in steps for part in step.content if part.type == "video")


interaction = create("a paper boat", delivery="uri")
assert interaction.status == "in_progress", interaction
video = video_of(finished(interaction))
assert video.mime_type == "video/mp4" and video.uri and not video.data, video
file = client.files.get(name="files/" + video.uri.split("/files/")[1].split(":")[0])
assert file.state.name == "ACTIVE", file
with open(out, "wb") as content:
    content.write(client.files.download(file=file))

inline = video_of(finished(create("a paper boat", delivery="inline")))
assert base64.b64decode(inline.data)[4:8] == b"ftyp", inline

text = finished(create("[sim:filtered]")).steps[-1].content[0]
assert text.type == "text" and text.text, text
failed = finished(create("[sim:fail]"))
assert failed.status == "failed" and failed.errors, failed

endless = create("[sim:never]")
assert client.interactions.cancel(id=endless.id).status == "cancelled"
assert client.interactions.get(id=endless.id).status == "cancelled"

try:
    create("a boat", resolution="8k")
except Exception as error:
    assert getattr(error, "status_code", getattr(error, "code", None)) == 400, repr(error)
else:
    raise AssertionError("what is invalid was accepted")
