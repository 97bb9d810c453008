"""Makes a video with Google's official client, the way its own documentation does: submit, poll, download.

Arguments: the base URL of the provider, and the file that the video goes into.
"""

import sys
import time

from google import genai
from google.genai import errors, types

base_url, out = sys.argv[1:]
client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=base_url))
model = "veo-3.1-generate-001"


def finished(operation):
    deadline = time.monotonic() + 120
    while not operation.done:
        assert time.monotonic() < deadline, "the operation does not end"
        time.sleep(0.1)
        operation = client.operations.get(operation)
    return operation


config = types.GenerateVideosConfig(
    number_of_videos=1,
    duration_seconds=6,
    aspect_ratio="9:16",
    resolution="720p",
    negative_prompt="people",
)
operation = finished(client.models.generate_videos(model=model, prompt="a paper boat", config=config))
video = operation.response.generated_videos[0].video
client.files.download(file=video)
video.save(out)

operation = finished(client.models.generate_videos(model=model, prompt="[sim:filtered]"))
assert not operation.response.generated_videos, operation
assert operation.response.rai_media_filtered_count == 1, operation

operation = finished(client.models.generate_videos(model=model, prompt="[sim:fail]"))
assert operation.error["code"] == 13, operation

try:
    client.models.generate_videos(model=model, prompt="a boat [sim:unheard-of]")
except errors.ClientError as error:
    assert error.code == 400, error
else:
    raise AssertionError("what is invalid was accepted")
